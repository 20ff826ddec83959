-- 6. Does a late plane leave late again the same day? (self join)
SELECT CASE WHEN first.dep_delay <= 0 THEN 'on time'
            WHEN first.dep_delay <= 60 THEN 'up to an hour late'
            ELSE 'more than an hour late' END AS first_departure,
       count(*) AS pairs, avg(later.dep_delay::decimal(9,2))::decimal(9,1) AS next_delay
FROM flights first
JOIN flights later ON later.tailnum = first.tailnum
                  AND trunc(later.time_hour) = trunc(first.time_hour)
                  AND later.time_hour > first.time_hour
WHERE first.dep_delay IS NOT NULL AND later.dep_delay IS NOT NULL
GROUP BY 1
ORDER BY next_delay;
