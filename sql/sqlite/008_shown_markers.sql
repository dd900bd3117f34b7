-- The read markers of members that read while they were invisible. The embedded twin of postgres/008_shown_markers.sql.
ALTER TABLE members ADD COLUMN shown_seq INTEGER NULL;
