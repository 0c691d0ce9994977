//! What Syncline remembers, in SQLite or PostgreSQL, with one text of SQL for both.
