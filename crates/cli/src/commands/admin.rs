//! `syncline admin`: the database and its key.

use std::io::{BufReader, Write};
use std::path::PathBuf;

use syncline_engine::admin::{self, AdminError};
use syncline_engine::operation::Runtime;
use syncline_engine::org::OrgError;
use syncline_engine::policy::Actor;
use syncline_engine::server_key::{self, KeyError};
use syncline_metadata::path::ElementPath;

use super::back_promote::open;
use super::operating;
use super::org::secret_from_stdin;
use crate::Status;
use crate::error::{CommandError, Kind};
use crate::output::Output;

/// Back up and restore the database, replace its key, seal values
///
/// The database holds operations, the audit chain and sealed secrets. The server key, which opens the secrets, is in no backup: keep
/// it apart. It is in SYNCLINE_SERVER_KEY, or in the file `server.key` beside the database. When it is lost, the secrets are lost and
/// have to be given anew, and checkpoints of the audit chain are signed with a new key; everything else stays readable.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  syncline admin backup syncline.backup
  SYNCLINE_DATABASE_URL=postgres://syncline@db/syncline syncline admin restore syncline.backup
  syncline admin rotate-key
  syncline admin seal 'CustomMetadata:Setting.Erp/values[field=Token__c]/value' < token.txt")]
pub struct Args {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, clap::Subcommand)]
enum Action {
    /// Write all rows of one moment to a new file
    Backup {
        /// The file
        file: PathBuf,
    },
    /// Fill an empty database from a backup, also one of the other kind
    Restore {
        /// The file
        file: PathBuf,
    },
    /// Seal all secrets with a new key
    ///
    /// A key in a file is replaced there. One from SYNCLINE_SERVER_KEY is replaced by the one of SYNCLINE_SERVER_KEY_NEW: set that as
    /// SYNCLINE_SERVER_KEY afterwards.
    RotateKey,
    /// Seal a value for the `secret` of an overlay
    ///
    /// The value is read from standard input, and is shown nowhere. What is printed goes into syncline/overlays/ENV.toml; it can be opened
    /// for this place only, with the key of the logins: everybody who deploys needs the same SYNCLINE_KEY.
    Seal {
        /// The element that gets the value
        #[arg(value_name = "PATH")]
        place: ElementPath,
    },
}

const NEW_KEY: &str = "SYNCLINE_SERVER_KEY_NEW";

/// Backs up, restores or replaces.
pub fn run(args: Args, out: &mut Output) -> Result<Status, CommandError> {
    let repository = open()?;
    operating::block_on(async {
        let runtime = operating::runtime(&repository).await?;
        let actor = operating::actor(&repository)?;
        match args.action {
            Action::Backup { file } => backup(&runtime, &actor, file, out).await,
            Action::Restore { file } => {
                let unreadable = |error| {
                    CommandError::user("file.unreadable", format_args!("could not read {}", file.display()))
                        .because(error)
                };
                let mut lines = BufReader::new(std::fs::File::open(&file).map_err(unreadable)?);
                let rows = admin::restore(&runtime.store, &actor, &mut lines, &file).await?;
                match out.json() {
                    true => out.value(&serde_json::json!({ "rows": rows }))?,
                    false => out.line(format_args!("{rows} rows restored into {}", runtime.store.place()))?,
                }
                Ok(Status::Done)
            }
            Action::Seal { place } => {
                let value = secret_from_stdin("value")?;
                let sealed = admin::seal(&runtime.orgs.vault, &actor, &place, &value)?;
                match out.json() {
                    true => out.value(&serde_json::json!({ "path": place.to_string(), "secret": sealed }))?,
                    false => out.line(sealed)?,
                }
                Ok(Status::Done)
            }
            Action::RotateKey => {
                let place = server_key::place(&runtime.store, &repository)?;
                let now = runtime.now();
                let rotated =
                    server_key::rotate(&runtime.store, &place, server_key::given(NEW_KEY)?, &actor, now).await;
                let (old, new, secrets) = rotated?;
                match out.json() {
                    true => out.value(&serde_json::json!({ "from": old, "to": new, "secrets": secrets }))?,
                    false => out.line(format_args!(
                        "{secrets} secrets are sealed with the key {new} instead of {old}"
                    ))?,
                }
                Ok(Status::Done)
            }
        }
    })
}

async fn backup(runtime: &Runtime, actor: &Actor, path: PathBuf, out: &mut Output) -> Result<Status, CommandError> {
    let unwritable = |error: std::io::Error| {
        CommandError::user("file.unwritable", format_args!("could not write {}", path.display())).because(error)
    };
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
    // Only its owner can read it, and it has its name when it is whole.
    let mut file = tempfile::NamedTempFile::new_in(folder.unwrap_or(std::path::Path::new("."))).map_err(unwritable)?;
    let mut buffer = std::io::BufWriter::new(file.as_file_mut());
    let rows = admin::backup(&runtime.store, actor, &mut buffer, &path).await?;
    buffer.flush().map_err(unwritable)?;
    drop(buffer);
    file.as_file().sync_all().map_err(unwritable)?;
    file.persist_noclobber(&path).map_err(|error| unwritable(error.error))?;
    match out.json() {
        true => out.value(&serde_json::json!({ "rows": rows, "file": path }))?,
        false => out.line(format_args!(
            "{rows} rows in {}; the server key is not in it",
            path.display()
        ))?,
    }
    Ok(Status::Done)
}

impl From<KeyError> for CommandError {
    fn from(error: KeyError) -> Self {
        let hint = match &error {
            KeyError::Refused(refusal) => return refusal.clone().into(),
            KeyError::Store(error) => error.hint(),
            KeyError::Lost { .. } => {
                Some("bring the file back; if the key is lost, the secrets have to be given anew in a new database")
            }
            KeyError::NoNewKey => Some("set SYNCLINE_SERVER_KEY_NEW, made with `openssl rand -base64 32`"),
            KeyError::Seal(error) => error.hint(),
            KeyError::Replace { .. } => None,
        };
        let told = Self::new(Kind::Config, "admin.key", &error).with_source_of(&error);
        match hint {
            Some(hint) => told.hint(hint),
            None => told,
        }
    }
}

impl From<AdminError> for CommandError {
    fn from(error: AdminError) -> Self {
        match error {
            AdminError::Refused(refusal) => refusal.into(),
            AdminError::Store(error) => error.into(),
            AdminError::Vault(error) => OrgError::from(error).into(),
        }
    }
}
