//! The metadata components of an org.
//!
//! A component has a row with its dates and rows for its files. A container (object, workflow, labels, sharing
//! rules…) keeps its file without the children; each child is a component of its own whose one file is its
//! element. [`whole`] puts them together again.

use crate::clock::Millis;
use crate::error::ApiError;
use crate::http::Call;
use rusqlite::{Connection, OptionalExtension, Row, params};
use syncline_metadata::component::ComponentId;
use syncline_metadata::diff;
use syncline_metadata::table::registry::{Adapter, ChildType, MetadataType, Registry};

/// Tables of this part of the simulator.
pub(crate) const TABLES: &str = "
CREATE TABLE IF NOT EXISTS _component (
    type TEXT NOT NULL, name TEXT NOT NULL COLLATE NOCASE, parent_type TEXT, parent TEXT COLLATE NOCASE, id TEXT NOT NULL,
    path TEXT NOT NULL, created INTEGER NOT NULL, created_by TEXT NOT NULL, modified INTEGER NOT NULL, modified_by TEXT NOT NULL,
    namespace TEXT, state TEXT NOT NULL, version INTEGER NOT NULL, PRIMARY KEY (type, name)
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS _component_parent ON _component (parent_type, parent);
CREATE TABLE IF NOT EXISTS _component_file (
    type TEXT NOT NULL, name TEXT NOT NULL COLLATE NOCASE, path TEXT NOT NULL, content BLOB NOT NULL, PRIMARY KEY (type, name, path)
);
";

/// A component of an org.
#[derive(Debug, Clone)]
pub struct Component {
    /// Type and full name.
    pub id: ComponentId,
    /// The container of a child.
    pub parent: Option<ComponentId>,
    /// Record id, 18 characters.
    pub record_id: String,
    /// Path below a package's root, `classes/Foo.cls`; of a bundle its folder; of a child its container's.
    pub path: String,
    /// When it was made.
    pub created: Millis,
    /// Who made it: a user's id.
    pub created_by: String,
    /// When it was last changed.
    pub modified: Millis,
    /// Who changed it.
    pub modified_by: String,
    /// Namespace of a managed package.
    pub namespace: Option<String>,
    /// `unmanaged` or `installed`.
    pub state: String,
    /// How often it was written.
    pub version: i64,
}

/// A file of a component: its path below a package's root, empty for a child's element.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct File {
    /// Path.
    pub path: String,
    /// Bytes.
    pub content: Vec<u8>,
}

/// A component to be written.
#[derive(Debug, Clone)]
pub struct Item {
    /// Type and full name.
    pub id: ComponentId,
    /// The container of a child.
    pub parent: Option<ComponentId>,
    /// As [`Component::path`].
    pub path: String,
    /// Its files.
    pub files: Vec<File>,
}

/// What writing a component did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Written {
    /// Record id.
    pub record_id: String,
    /// It is new.
    pub created: bool,
    /// It is new or differs from what was there.
    pub changed: bool,
}

const COLUMNS: &str =
    "type, name, parent_type, parent, id, path, created, created_by, modified, modified_by, namespace, state, version";

fn read(row: &Row<'_>) -> rusqlite::Result<Component> {
    let parent: (Option<String>, Option<String>) = (row.get(2)?, row.get(3)?);
    Ok(Component {
        id: ComponentId::new(row.get::<_, String>(0)?, row.get::<_, String>(1)?),
        parent: parent.0.zip(parent.1).map(|(kind, name)| ComponentId::new(kind, name)),
        record_id: row.get(4)?,
        path: row.get(5)?,
        created: row.get(6)?,
        created_by: row.get(7)?,
        modified: row.get(8)?,
        modified_by: row.get(9)?,
        namespace: row.get(10)?,
        state: row.get(11)?,
        version: row.get(12)?,
    })
}

/// The component of that type and name, in any case of the name.
pub fn get(db: &Connection, id: &ComponentId) -> Result<Option<Component>, ApiError> {
    Ok(db
        .prepare_cached(&format!(
            "SELECT {COLUMNS} FROM _component WHERE type = ?1 AND name = ?2"
        ))?
        .query_row([&*id.type_name, &*id.full_name], read)
        .optional()?)
}

/// The components of a type, by name.
pub fn list(db: &Connection, type_name: &str) -> Result<Vec<Component>, ApiError> {
    let mut query = db.prepare_cached(&format!(
        "SELECT {COLUMNS} FROM _component WHERE type = ?1 ORDER BY name"
    ))?;
    let rows = query.query_map([type_name], read)?.collect::<Result<_, _>>()?;
    Ok(rows)
}

/// All components.
pub fn all(db: &Connection) -> Result<Vec<Component>, ApiError> {
    let mut query = db.prepare_cached(&format!("SELECT {COLUMNS} FROM _component ORDER BY type, name"))?;
    let rows = query.query_map([], read)?.collect::<Result<_, _>>()?;
    Ok(rows)
}

/// The children of a container, by type and name.
pub fn children(db: &Connection, parent: &ComponentId) -> Result<Vec<Component>, ApiError> {
    let mut query = db.prepare_cached(&format!(
        "SELECT {COLUMNS} FROM _component WHERE parent_type = ?1 AND parent = ?2 ORDER BY type, name"
    ))?;
    let rows = query
        .query_map([&*parent.type_name, &*parent.full_name], read)?
        .collect::<Result<_, _>>()?;
    Ok(rows)
}

/// The files of a component as they are kept: a container's without its children.
pub fn files(db: &Connection, id: &ComponentId) -> Result<Vec<File>, ApiError> {
    let mut query =
        db.prepare_cached("SELECT path, content FROM _component_file WHERE type = ?1 AND name = ?2 ORDER BY path")?;
    let rows = query
        .query_map([&*id.type_name, &*id.full_name], |row| {
            Ok(File {
                path: row.get(0)?,
                content: row.get(1)?,
            })
        })?
        .collect::<Result<_, _>>()?;
    Ok(rows)
}

/// The text of the one XML file of a component, or the element of a child.
pub fn xml(db: &Connection, id: &ComponentId) -> Result<Option<String>, ApiError> {
    let files = files(db, id)?;
    let xml = files
        .iter()
        .find(|file| file.path.ends_with("-meta.xml"))
        .or_else(|| files.first());
    Ok(xml.map(|file| String::from_utf8_lossy(&file.content).into_owned()))
}

/// Writes a component. Dates change only when its content does.
pub fn put(call: &Call<'_>, item: &Item) -> Result<Written, ApiError> {
    let (kind, name) = (&*item.id.type_name, &*item.id.full_name);
    if let Some(old) = get(call.db, &item.id)? {
        if same(&files(call.db, &item.id)?, &item.files) {
            return Ok(Written {
                record_id: old.record_id,
                created: false,
                changed: false,
            });
        }
        call.db.execute(
            "UPDATE _component SET modified = ?3, modified_by = ?4, version = version + 1, path = ?5 WHERE type = ?1 AND name = ?2",
            params![kind, name, call.now, call.user, item.path],
        )?;
        call.db.execute(
            "DELETE FROM _component_file WHERE type = ?1 AND name = ?2",
            [kind, name],
        )?;
        write_files(call.db, item)?;
        return Ok(Written {
            record_id: old.record_id,
            created: false,
            changed: true,
        });
    }
    let record_id = call.next_id(&super::prefix::of(call, &item.id))?;
    let parent = item.parent.as_ref();
    call.db.execute(
        &format!(
            "INSERT INTO _component ({COLUMNS}) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?7, ?8, NULL, 'unmanaged', 1)"
        ),
        params![
            kind,
            name,
            parent.map(|p| &*p.type_name),
            parent.map(|p| &*p.full_name),
            record_id,
            item.path,
            call.now,
            call.user
        ],
    )?;
    write_files(call.db, item)?;
    Ok(Written {
        record_id,
        created: true,
        changed: true,
    })
}

/// Writes a component that an org has from the beginning.
pub(crate) fn seed(
    db: &Connection,
    id: &ComponentId,
    record_id: &str,
    path: &str,
    content: &str,
    by: &str,
    now: Millis,
) -> Result<(), ApiError> {
    let (kind, name) = (&*id.type_name, &*id.full_name);
    db.execute(
        &format!(
            "INSERT INTO _component ({COLUMNS}) VALUES (?1, ?2, NULL, NULL, ?3, ?4, ?5, ?6, ?5, ?6, NULL, 'unmanaged', 1)"
        ),
        params![kind, name, record_id, path, now, by],
    )?;
    db.execute(
        "INSERT INTO _component_file (type, name, path, content) VALUES (?1, ?2, ?3, ?4)",
        params![kind, name, path, content.as_bytes()],
    )?;
    Ok(())
}

fn write_files(db: &Connection, item: &Item) -> Result<(), ApiError> {
    let mut insert =
        db.prepare_cached("INSERT INTO _component_file (type, name, path, content) VALUES (?1, ?2, ?3, ?4)")?;
    for file in &item.files {
        insert.execute(params![
            &*item.id.type_name,
            &*item.id.full_name,
            file.path,
            file.content
        ])?;
    }
    Ok(())
}

fn same(old: &[File], new: &[File]) -> bool {
    old.len() == new.len()
        && old.iter().all(|file| {
            new.iter().any(|other| {
                other.path == file.path
                    && (other.content == file.content
                        || is_xml(&file.path) && diff::same("-meta.xml", &file.content, &other.content))
            })
        })
}

/// Whether a file holds metadata XML rather than content: a child's element, a descriptor, a file that is nothing else.
fn is_xml(path: &str) -> bool {
    path.is_empty() || path.ends_with("-meta.xml") || !super::package::is_content(path)
}

/// Removes a component with its children and files.
pub fn delete(db: &Connection, id: &ComponentId) -> Result<(), ApiError> {
    for child in children(db, id)? {
        delete(db, &child.id)?;
    }
    let key = [&*id.type_name, &*id.full_name];
    db.execute("DELETE FROM _component_file WHERE type = ?1 AND name = ?2", key)?;
    db.execute("DELETE FROM _component WHERE type = ?1 AND name = ?2", key)?;
    Ok(())
}

/// The files of a component as the outside sees them: a container's with these children inside.
pub fn whole(db: &Connection, id: &ComponentId, children: &[Component]) -> Result<Vec<File>, ApiError> {
    let mut own = files(db, id)?;
    if children.is_empty() {
        return Ok(own);
    }
    let kind = &*id.type_name;
    let mut inner = String::new();
    for child in children {
        for file in files(db, &child.id)? {
            if file.path.is_empty() {
                inner.push_str(&String::from_utf8_lossy(&file.content));
                inner.push('\n');
            } else {
                own.push(file);
            }
        }
    }
    if inner.is_empty() {
        return Ok(own);
    }
    if own.is_empty() {
        own.push(File {
            path: children[0].path.clone(),
            content: empty(kind).into_bytes(),
        });
    }
    if let Some(main) = own.first_mut() {
        let text = String::from_utf8_lossy(&main.content).into_owned();
        main.content = match text.rfind("</") {
            Some(end) => format!("{}{inner}{}", &text[..end], &text[end..]).into_bytes(),
            None => empty(kind).replace("</", &format!("{inner}</")).into_bytes(),
        };
    }
    Ok(own)
}

/// A file of that type with nothing inside.
pub fn empty(type_name: &str) -> String {
    format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<{type_name} xmlns=\"http://soap.sforce.com/2006/04/metadata\">\n</{type_name}>\n"
    )
}

/// The child types that are components of their own inside the XML of a type.
pub fn inner_children(kind: &MetadataType) -> impl Iterator<Item = &ChildType> {
    kind.children
        .iter()
        .filter(|child| child.addressable && kind.adapter != Adapter::DigitalExperience)
}

/// Whether components of this type are kept without their children.
pub fn is_container(type_name: &str) -> bool {
    Registry::standard()
        .by_name(type_name)
        .is_some_and(|kind| inner_children(kind).next().is_some())
}
