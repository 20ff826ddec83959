-- 1. Which carriers flew most, and how punctual were they? (three tables, HAVING)
SELECT a.name AS carrier, count(*) AS flights, count(DISTINCT p.manufacturer) AS makers,
       avg(f.arr_delay::decimal(9,2))::decimal(9,1) AS mean_delay,
       (100.0 * sum(CASE WHEN f.arr_delay <= 0 THEN 1 ELSE 0 END) / count(f.arr_delay))::decimal(5,1)
           AS pct_on_time
FROM flights f
JOIN airlines a ON a.carrier = f.carrier
LEFT JOIN planes p ON p.tailnum = f.tailnum
GROUP BY a.name
HAVING count(*) >= 5000
ORDER BY flights DESC;
