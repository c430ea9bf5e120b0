-- What an account may do, by the name of its plan; those that there are stand in files, not here. The accounts there are
-- may do everything, as before. A constant default rewrites no table.

ALTER TABLE accounts ADD COLUMN plan text NOT NULL DEFAULT 'unlimited';
