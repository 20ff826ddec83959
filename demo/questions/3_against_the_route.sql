-- 3. Who arrives later than the average of the same route? (correlated subquery)
SELECT a.name AS carrier, count(*) AS flights,
       sum(CASE WHEN f.arr_delay > (SELECT avg(r.arr_delay::decimal(9,2))
                                    FROM flights r
                                    WHERE r.origin = f.origin AND r.dest = f.dest)
                THEN 1 ELSE 0 END) AS later_than_route
FROM flights f
JOIN airlines a ON a.carrier = f.carrier
WHERE f.arr_delay IS NOT NULL
GROUP BY a.name
ORDER BY later_than_route::decimal(12,4) / count(*) DESC
LIMIT 8;
