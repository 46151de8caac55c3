-- What Stampede decides for one buy, in one function over one hot row.
CREATE TABLE stock (sku text PRIMARY KEY, available integer NOT NULL CHECK (available >= 0));
CREATE TABLE holds (
  hold bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  viewer text NOT NULL, key text NOT NULL, sku text NOT NULL, units integer NOT NULL,
  deadline timestamptz NOT NULL,
  UNIQUE (viewer, key)
);
CREATE FUNCTION buy(who text, what text, n integer, k text, cap integer, ttl interval)
RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
  earlier holds; made bigint; has bigint; id bigint;
BEGIN
  SELECT * INTO earlier FROM holds WHERE viewer = who AND key = k;
  IF earlier.hold IS NOT NULL THEN
    IF earlier.sku = what AND earlier.units = n THEN RETURN earlier.hold; END IF;
    RETURN -1;
  END IF;
  SELECT count(*), coalesce(sum(units), 0) INTO made, has FROM holds WHERE viewer = who;
  IF made >= cap OR has + n > cap THEN RETURN -2; END IF;
  UPDATE stock SET available = available - n WHERE sku = what AND available >= n;
  IF NOT FOUND THEN RETURN -3; END IF;
  INSERT INTO holds (viewer, key, sku, units, deadline)
    VALUES (who, k, what, n, now() + ttl) RETURNING hold INTO id;
  RETURN id;
END $$;
