//! The tables of an org's database: one per object, and those of the simulator itself, which begin with `_`.

use crate::error::ApiError;
use crate::schema::{Field, Object, Schema, standard};
use rusqlite::Connection;

/// `_object` keeps objects that deployments made or changed, as JSON; all else comes from the standard model.
/// `_validation` has the validation rules; `_duplicate_rule` the duplicate rules: records are alike when all of `fields`
/// (comma-separated) are, `action` is `Allow` or `Block`. `_lock` has records that are locked until a time, and by whom.
/// `_recycle` has what went with a deleted record, to bring it back: records (`field` empty) and references that were cleared.
const OWN: &str = "
CREATE TABLE IF NOT EXISTS _sequence (prefix TEXT PRIMARY KEY, next INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS _object (name TEXT PRIMARY KEY, json TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS _session (
    token TEXT PRIMARY KEY, kind TEXT NOT NULL, user_id TEXT NOT NULL, client_id TEXT, created INTEGER NOT NULL, revoked INTEGER,
    scope TEXT, parent TEXT
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS _session_parent ON _session (parent) WHERE parent IS NOT NULL;
CREATE TABLE IF NOT EXISTS _code (
    code TEXT PRIMARY KEY, user_id TEXT NOT NULL, client_id TEXT NOT NULL, redirect TEXT, scope TEXT NOT NULL, challenge TEXT, created INTEGER NOT NULL
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS _password (user_id TEXT PRIMARY KEY, password TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS _app (
    client_id TEXT PRIMARY KEY, name TEXT NOT NULL, secret TEXT, certificate TEXT, callbacks TEXT NOT NULL, scopes TEXT NOT NULL,
    pre_authorized INTEGER NOT NULL, rotates INTEGER NOT NULL, jwt_tokens INTEGER NOT NULL, run_as TEXT
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS _event (id INTEGER PRIMARY KEY AUTOINCREMENT, due INTEGER NOT NULL, kind TEXT NOT NULL, payload TEXT NOT NULL);
CREATE INDEX IF NOT EXISTS _event_due ON _event (due, id);
CREATE TABLE IF NOT EXISTS _cursor (
    id TEXT NOT NULL UNIQUE, user_id TEXT NOT NULL, created INTEGER NOT NULL, query TEXT NOT NULL, all_rows INTEGER NOT NULL,
    tooling INTEGER NOT NULL, keys BLOB NOT NULL
);
CREATE TABLE IF NOT EXISTS _value (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS _validation (
    object TEXT NOT NULL, name TEXT NOT NULL, active INTEGER NOT NULL, formula TEXT NOT NULL, message TEXT NOT NULL, field TEXT,
    PRIMARY KEY (object, name)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS _duplicate_rule (
    object TEXT NOT NULL, name TEXT NOT NULL, active INTEGER NOT NULL, fields TEXT NOT NULL, action TEXT NOT NULL, message TEXT,
    PRIMARY KEY (object, name)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS _lock (id TEXT PRIMARY KEY, until INTEGER NOT NULL, holder TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS _recycle (root TEXT NOT NULL, object TEXT NOT NULL, id TEXT NOT NULL, field TEXT NOT NULL);
CREATE INDEX IF NOT EXISTS _recycle_root ON _recycle (root);
";

/// Makes what is missing and reads the schema.
pub(super) fn prepare(db: &Connection) -> Result<Schema, ApiError> {
    db.execute_batch("PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL; PRAGMA foreign_keys = OFF; PRAGMA temp_store = MEMORY; PRAGMA cache_size = -32768;")?;
    db.execute_batch(OWN)?;
    db.execute_batch(crate::sandbox::TABLES)?;
    crate::soql::register(db)?;
    crate::formula::register(db)?;
    db.execute_batch(&crate::metadata::tables())?;
    db.execute_batch(crate::bulk::TABLES)?;
    let mut schema = standard().map_err(|error| ApiError::new("UNKNOWN_EXCEPTION", error.to_string()).status(500))?;
    let mut read = db.prepare("SELECT json FROM _object")?;
    for json in read.query_map([], |row| row.get::<_, String>(0))? {
        let object: Object = serde_json::from_str(&json?)
            .map_err(|error| ApiError::new("UNKNOWN_EXCEPTION", format!("stored object: {error}")).status(500))?;
        schema.put(object);
    }
    drop(read);
    let fresh: i64 = db.query_row(
        "SELECT count(*) FROM sqlite_master WHERE name = 'Organization'",
        [],
        |row| row.get(0),
    )?;
    if fresh == 0 {
        let all: String = schema
            .objects()
            .map(|object| table_sql(object) + &index_sql(object))
            .collect();
        db.execute_batch(&format!("BEGIN; {all} COMMIT;"))?;
    } else {
        for object in schema.objects() {
            create_table(db, object)?;
        }
    }
    Ok(schema)
}

/// Makes an object's table and the columns it lacks.
pub fn create_table(db: &Connection, object: &Object) -> Result<(), ApiError> {
    db.execute_batch(&table_sql(object))?;
    let mut columns = db.prepare(&format!("SELECT lower(name) FROM pragma_table_info('{}')", object.name))?;
    let present: Vec<String> = columns.query_map([], |row| row.get(0))?.collect::<Result<_, _>>()?;
    let is_missing = |field: &&Field| !present.contains(&field.name.to_ascii_lowercase());
    let missing: Vec<&Field> = object.fields.iter().filter(is_missing).collect();
    if !missing.is_empty() {
        let filled = db.prepare(&format!("SELECT 1 FROM \"{}\"", object.name))?.exists([])?;
        // ALTER TABLE makes SQLite read the whole schema again, which takes long in an org of many objects.
        if filled {
            for field in missing {
                let (name, kind) = (&field.name, field.kind.column());
                db.execute_batch(&format!("ALTER TABLE \"{}\" ADD COLUMN \"{name}\" {kind}", object.name))?;
            }
        } else {
            db.execute_batch(&format!("DROP TABLE \"{}\";\n{}", object.name, table_sql(object)))?;
        }
    }
    db.execute_batch(&index_sql(object))?;
    Ok(())
}

/// Keeps an object that differs from the standard model, with its table.
pub fn save_object(db: &Connection, object: &Object) -> Result<(), ApiError> {
    let json = serde_json::to_string(object)
        .map_err(|error| ApiError::new("UNKNOWN_EXCEPTION", error.to_string()).status(500))?;
    db.execute(
        "INSERT INTO _object (name, json) VALUES (?1, ?2) ON CONFLICT (name) DO UPDATE SET json = excluded.json",
        [&object.name, &json],
    )?;
    create_table(db, object)
}

/// Forgets an object and its records.
pub fn drop_object(db: &Connection, name: &str) -> Result<(), ApiError> {
    db.execute("DELETE FROM _object WHERE name = ?1", [name])?;
    db.execute_batch(&format!("DROP TABLE IF EXISTS \"{name}\""))?;
    Ok(())
}

fn table_sql(object: &Object) -> String {
    let mut sql = format!("CREATE TABLE IF NOT EXISTS \"{}\" (", object.name);
    for (at, field) in object.fields.iter().enumerate() {
        let key = if field.name == "Id" { " PRIMARY KEY" } else { "" };
        let comma = if at == 0 { "" } else { ", " };
        sql.push_str(&format!("{comma}\"{}\" {}{key}", field.name, field.kind.column()));
    }
    sql.push_str(");\n");
    sql
}

/// Indexes on what records are looked up by in upserts and for uniqueness.
fn index_sql(object: &Object) -> String {
    object
        .fields
        .iter()
        .filter(|field| (field.unique || field.external_id) && field.name != "Id")
        .map(|field| index(&object.name, &field.name, !field.case_sensitive))
        .collect()
}

/// SQL of an index on a field, with or without regard to case; nothing happens when it is there.
pub fn index(object: &str, field: &str, any_case: bool) -> String {
    let (suffix, collate) = if any_case {
        ("_any", " COLLATE NOCASE")
    } else {
        ("", "")
    };
    format!("CREATE INDEX IF NOT EXISTS \"_by_{object}_{field}{suffix}\" ON \"{object}\" (\"{field}\"{collate});\n")
}
