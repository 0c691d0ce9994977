//! What to do with each environment: bring changes down, or copy its sandbox anew, with reasons and numbers.

use std::collections::{BTreeMap, BTreeSet};

pub use syncline_domain::advice::{Advice, Recommendation};
use syncline_domain::advice::{Standing, advise as recommend};
use syncline_domain::config::Kind;
use syncline_domain::time::Millis;
use syncline_git::Repository;

use crate::config;
use crate::environment::{EnvironmentError, tip};
use crate::project::ProjectReader;
use crate::status::{last_copies, last_copy, status};

/// What is asked for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Request {
    /// The environments; none: all but production.
    pub environments: Vec<String>,
    /// Newer data of production is needed in these.
    pub needs_data: bool,
}

/// Recommends what to do with environments, by their standing as `status` tells it.
pub fn advise(repository: &Repository, request: &Request, now: Millis) -> Result<Vec<Advice>, EnvironmentError> {
    let config = config::read(repository)?;
    let standing = status(repository, &request.environments, now)?;
    let copies = last_copies(repository, &config)?;
    let mut sizes: BTreeMap<String, u64> = BTreeMap::new();
    let mut made = Vec::new();
    for one in &standing.environments {
        let Some(environment) = config
            .environment(&one.name)
            .filter(|found| found.kind != Kind::Production)
        else {
            continue;
        };
        let Some(above) = &one.above else { continue };
        let components = match sizes.get(&above.name) {
            Some(size) => *size,
            None => {
                let size = size(repository, &config, &above.name)?;
                sizes.insert(above.name.clone(), size);
                size
            }
        };
        let uncaptured = one.drift.map_or(0, |drift| drift.in_org + drift.both);
        made.push(recommend(
            environment,
            &Standing {
                distance: (above.behind + above.both) as u64,
                components,
                work_in_progress: (uncaptured + one.open_changes.len()) as u64,
                last_refresh: last_copy(environment, &copies),
                needs_data: request.needs_data,
                now,
            },
        ));
    }
    Ok(made)
}

/// Components on the branch of an environment.
fn size(repository: &Repository, config: &config::Config, name: &str) -> Result<u64, EnvironmentError> {
    let Some(tip) = config
        .environment(name)
        .map(|environment| tip(repository, environment))
        .transpose()?
        .flatten()
    else {
        return Ok(0);
    };
    let tree = repository.commit_tree(tip)?;
    let projects = ProjectReader::default().read(repository, tree)?;
    let mut components = BTreeSet::new();
    for (path, _) in repository.files(tree, "")? {
        components.extend(projects.file(path.as_str()?).map(|file| file.id));
    }
    Ok(components.len() as u64)
}
