-- 7. Airports that New York never reached, by time zone (outer join)
SELECT ap.tzone, count(*) AS airports,
       sum(CASE WHEN f.dest IS NULL THEN 1 ELSE 0 END) AS never_reached
FROM airports ap
LEFT JOIN (SELECT DISTINCT dest FROM flights) f ON f.dest = ap.faa
GROUP BY ap.tzone
HAVING count(*) > 20
ORDER BY airports DESC;
