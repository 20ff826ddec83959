-- 8. What does wind do to departures? (join on two keys, buckets)
SELECT CASE WHEN w.wind_speed < 5 THEN 'a: below 5 mph'
            WHEN w.wind_speed < 15 THEN 'b: 5 to 15'
            WHEN w.wind_speed < 25 THEN 'c: 15 to 25'
            ELSE 'd: 25 and more' END AS wind,
       count(*) AS flights,
       avg(f.dep_delay::decimal(9,2))::decimal(9,1) AS mean_delay,
       sum(CASE WHEN f.dep_time IS NULL THEN 1 ELSE 0 END) AS cancelled
FROM flights f
JOIN weather w ON w.origin = f.origin AND w.time_hour = f.time_hour
WHERE w.wind_speed IS NOT NULL
GROUP BY 1
ORDER BY 1;
