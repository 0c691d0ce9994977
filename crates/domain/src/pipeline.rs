//! The path between environments: what is above, what is below, which ways there are.

use std::collections::VecDeque;

use crate::config::{Config, Environment};

impl Config {
    /// The environments below one, nearest first.
    pub fn below(&self, name: &str) -> Vec<&Environment> {
        let mut found: Vec<&Environment> = Vec::new();
        let mut open = VecDeque::from([name]);
        while let Some(above) = open.pop_front() {
            let next = self
                .environments()
                .iter()
                .filter(|environment| environment.promotes_to.as_deref() == Some(above));
            for environment in next {
                open.push_back(&environment.name);
                found.push(environment);
            }
        }
        found
    }
}
