-- 2. The three worst days of each airport (window function over an aggregate)
SELECT origin, day, flights, mean_delay, place
FROM (
    SELECT origin, trunc(time_hour) AS day, count(*) AS flights,
           avg(dep_delay::decimal(9,2))::decimal(9,1) AS mean_delay,
           rank() OVER (PARTITION BY origin ORDER BY avg(dep_delay::decimal(9,2)) DESC) AS place
    FROM flights
    WHERE dep_delay IS NOT NULL
    GROUP BY origin, trunc(time_hour)
) AS days
WHERE place <= 3
ORDER BY origin, place;
