//! Layers to one table. Tables merge key by key; everything else, arrays included, is replaced as a whole, so
//! that each effective value was written by exactly one layer, its origin.

use std::collections::BTreeMap;

use super::tree::{Layer, Sources, Tree, Value, join};

/// Lays `upper` over `lower`.
pub(crate) fn over(lower: &mut Tree, upper: Tree) {
    for (key, entry) in upper {
        match lower.get_mut(&key) {
            Some(below) => match (&mut below.node.value, entry.node.value) {
                (Value::Table(lower), Value::Table(upper)) => over(lower, upper),
                (_, value) => {
                    below.key_at = entry.key_at;
                    below.node.at = entry.node.at;
                    below.node.value = value;
                }
            },
            None => {
                lower.insert(key, entry);
            }
        }
    }
}

/// Who set each key: dotted path to layer. Keys nobody set are not in it.
pub(crate) fn origins(tree: &Tree, sources: &Sources) -> BTreeMap<String, Layer> {
    let mut origins = BTreeMap::new();
    collect(tree, sources, "", &mut origins);
    origins
}

fn collect(tree: &Tree, sources: &Sources, path: &str, origins: &mut BTreeMap<String, Layer>) {
    for (key, entry) in tree {
        let path = join(path, key);
        match &entry.node.value {
            Value::Table(below) => collect(below, sources, &path, origins),
            _ => {
                if let Some(source) = sources.of(entry.node.at) {
                    origins.insert(path, source.layer.clone());
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use super::super::tree::Source;
    use super::*;

    fn merged(layers: &[(Layer, &str)]) -> Vec<(String, Layer)> {
        let mut sources = Sources::default();
        let mut tree = Tree::new();
        for (layer, text) in layers {
            let source = sources.add(Source {
                layer: layer.clone(),
                label: String::new(),
                base: PathBuf::new(),
                text: Some((*text).to_owned()),
            });
            over(&mut tree, sources.parse(source).unwrap());
        }
        origins(&tree, &sources).into_iter().collect()
    }

    fn want(list: &[(&str, Layer)]) -> Vec<(String, Layer)> {
        list.iter().map(|(key, layer)| ((*key).to_owned(), layer.clone())).collect()
    }

    #[test]
    fn each_key_has_the_highest_layer_that_wrote_it() {
        assert_eq!(
            merged(&[
                (Layer::System, "model = 'a'\n[tui]\nx = 1\ny = 1"),
                (Layer::User, "model = 'b'\n[tui]\ny = 2\n[projects.'/a.b']\ntrust_level = 'trusted'"),
                (Layer::Session, "tui.z = 3"),
            ]),
            want(&[
                ("model", Layer::User),
                ("projects.\"/a.b\".trust_level", Layer::User),
                ("tui.x", Layer::System),
                ("tui.y", Layer::User),
                ("tui.z", Layer::Session),
            ])
        );
    }

    #[test]
    fn arrays_and_changes_of_type_replace_the_whole_value() {
        assert_eq!(
            merged(&[
                (Layer::User, "a = [1, 2]\n[b]\nx = 1\n[c]\nx = 1"),
                (Layer::Session, "a = [3]\nb = 1"),
                (Layer::Managed, "[b]\ny = 1"),
            ]),
            want(&[("a", Layer::Session), ("b.y", Layer::Managed), ("c.x", Layer::User)])
        );
    }
}
