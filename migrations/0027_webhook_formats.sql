-- In whose words a webhook is told: the server's own, or those of a dialect, by its name.

ALTER TABLE webhooks ADD COLUMN format text NOT NULL DEFAULT 'native';
