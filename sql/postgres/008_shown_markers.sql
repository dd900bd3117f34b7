-- The read markers of members that read while they were invisible.
--
-- This rule must hold:
--   * members.shown_seq is the marker that other members may know. NULL, and any value below joined_seq, which is one of an earlier membership, means
--     read_seq itself. It is set when an invisible member reads on, and is NULL again after the member's next message.
ALTER TABLE members ADD COLUMN shown_seq bigint NULL;
