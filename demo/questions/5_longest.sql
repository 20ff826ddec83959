-- 5. The ten longest delays, with plane and destination (four tables, top-k)
SELECT f.time_hour, a.name AS carrier, f.flight, ap.name AS destination,
       p.manufacturer || ' ' || p.model AS plane, f.dep_delay AS minutes
FROM flights f
JOIN airlines a ON a.carrier = f.carrier
JOIN airports ap ON ap.faa = f.dest
LEFT JOIN planes p ON p.tailnum = f.tailnum
WHERE f.dep_delay IS NOT NULL
ORDER BY f.dep_delay DESC, f.flight
LIMIT 10;
