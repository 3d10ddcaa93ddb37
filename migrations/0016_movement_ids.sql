-- Movements that a statement opens by itself get ids that sort by time, as those that the program makes (UUID version 7):
-- 48 bits of milliseconds in the place of random ones, and the version.
create function new_movement_id() returns uuid language sql volatile parallel safe as $$
    select encode(set_bit(set_bit(
        overlay(uuid_send(gen_random_uuid())
                placing substring(int8send(floor(extract(epoch from clock_timestamp()) * 1000)::bigint) from 3)
                from 1 for 6),
        52, 1), 53, 1), 'hex')::uuid
$$;
