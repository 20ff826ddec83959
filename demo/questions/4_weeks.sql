-- 4. Cancelled flights by week, and the change against the week before (date arithmetic)
SELECT week, flights, cancelled, cancelled - lag(cancelled) OVER (ORDER BY week) AS change
FROM (
    SELECT date_trunc('week', time_hour)::date AS week, count(*) AS flights,
           sum(CASE WHEN dep_time IS NULL THEN 1 ELSE 0 END) AS cancelled
    FROM flights
    WHERE time_hour >= DATE '2013-02-01' - INTERVAL '3' DAY
      AND time_hour < dateadd(month, 2, DATE '2013-02-01')
    GROUP BY 1
) AS weeks
ORDER BY week;
