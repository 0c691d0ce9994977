//! shim
use crate::config::ChangeBranch;
#[allow(missing_docs)]
pub struct ChangeName {
    pub id: String,
    pub slug: String,
}
#[allow(missing_docs)]
impl ChangeBranch {
    pub fn branch(&self, id: &str, title: &str) -> Result<String, String> {
        let slug: String = title
            .to_lowercase()
            .chars()
            .map(|c| if c.is_ascii_alphanumeric() { c } else { '-' })
            .collect();
        let slug = slug.split('-').filter(|w| !w.is_empty()).collect::<Vec<_>>().join("-");
        Ok(self.as_str().replace("{id}", id).replace("{slug}", &slug))
    }
    pub fn parse(&self, branch: &str) -> Option<ChangeName> {
        let rest = branch.strip_prefix("changes/")?;
        let (id, slug) = rest.split_once('-')?;
        Some(ChangeName {
            id: id.to_owned(),
            slug: slug.to_owned(),
        })
    }
}
