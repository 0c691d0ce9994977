//! Static resources and documents: content of any kind beside a descriptor.

use std::collections::BTreeMap;

use syncline_metadata::component::{ComponentFile, Role};
use syncline_metadata::table::registry::MetadataType;
use syncline_salesforce::metadata::{ArchiveWriter, ZipReader};

use super::{ConvertError, Files, below, splice};

/// File extensions of content types, as the Salesforce command line takes them; it takes [`OTHER`] for all others.
const EXTENSIONS: &[(&str, &str)] = &[
    ("application/gzip", "gz"),
    ("application/java-archive", "jar"),
    ("application/javascript", "js"),
    ("application/json", "json"),
    ("application/manifest+json", "webmanifest"),
    ("application/msword", "doc"),
    ("application/pdf", "pdf"),
    ("application/rtf", "rtf"),
    ("application/vnd.ms-excel", "xls"),
    ("application/vnd.ms-fontobject", "eot"),
    ("application/vnd.ms-powerpoint", "ppt"),
    (
        "application/vnd.openxmlformats-officedocument.presentationml.presentation",
        "pptx",
    ),
    (
        "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
        "xlsx",
    ),
    (
        "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
        "docx",
    ),
    ("application/wasm", "wasm"),
    ("application/x-javascript", "js"),
    ("application/x-shockwave-flash", "swf"),
    ("application/xml", "xml"),
    ("application/zip", "zip"),
    ("audio/mp3", "mp3"),
    ("audio/mp4", "m4a"),
    ("audio/mpeg", "mpga"),
    ("audio/ogg", "oga"),
    ("audio/wav", "wav"),
    ("audio/x-wav", "wav"),
    ("font/otf", "otf"),
    ("font/ttf", "ttf"),
    ("font/woff", "woff"),
    ("font/woff2", "woff2"),
    ("image/bmp", "bmp"),
    ("image/gif", "gif"),
    ("image/jpeg", "jpeg"),
    ("image/png", "png"),
    ("image/svg+xml", "svg"),
    ("image/tiff", "tif"),
    ("image/vnd.microsoft.icon", "ico"),
    ("image/webp", "webp"),
    ("image/x-icon", "ico"),
    ("image/x-png", "png"),
    ("text/calendar", "ics"),
    ("text/css", "css"),
    ("text/csv", "csv"),
    ("text/html", "html"),
    ("text/javascript", "js"),
    ("text/markdown", "markdown"),
    ("text/plain", "txt"),
    ("text/x-haml", "haml"),
    ("text/xml", "xml"),
    ("text/yaml", "yaml"),
    ("video/mp4", "mp4"),
    ("video/quicktime", "qt"),
    ("video/webm", "webm"),
];
const OTHER: &str = "bin";
/// Content types of resources that are folders.
const ARCHIVES: [&str; 3] = ["application/jar", "application/x-zip-compressed", "application/zip"];
const META: &str = "-meta.xml";

/// Static resources and documents in source format, as they are found.
#[derive(Default)]
pub(super) struct Folders {
    files: Files,
    /// Files of resources that are folders, by resource.
    folders: BTreeMap<String, Files>,
    /// Content of documents by path without extension.
    documents: BTreeMap<String, String>,
    descriptors: Files,
}

impl Folders {
    pub(super) fn add(
        &mut self,
        kind: &MetadataType,
        path: &str,
        file: &ComponentFile,
        bytes: &[u8],
    ) -> Result<(), ConvertError> {
        let tail = below(path, kind)?;
        let stem = |path: &str| path.rsplit_once('.').map_or(path, |(stem, _)| stem).to_owned();
        if kind.name == "Document" {
            match tail.strip_suffix(META) {
                Some(plain) => {
                    self.descriptors.insert(stem(plain), bytes.to_owned());
                }
                None => {
                    self.documents.insert(stem(tail), tail.to_owned());
                    self.files.insert(tail.to_owned(), bytes.to_owned());
                }
            }
            return Ok(());
        }
        let resource = format!("{}/{}", kind.directory, file.id.full_name);
        let inside = tail.strip_prefix(&format!("{resource}/"));
        if let Some(inside) = inside {
            let folder = self.folders.entry(resource).or_default();
            folder.insert(inside.to_owned(), bytes.to_owned());
        } else if file.role == Role::Descriptor || tail.ends_with(META) {
            self.files
                .insert(format!("{resource}.resource{META}"), bytes.to_owned());
        } else {
            self.files.insert(format!("{resource}.resource"), bytes.to_owned());
        }
        Ok(())
    }

    /// Their files in a package.
    pub(super) fn pack(mut self) -> Result<Files, ConvertError> {
        for (resource, files) in self.folders {
            let path = format!("{resource}.resource");
            let failed = |error: syncline_salesforce::Error| ConvertError::Archive {
                path: path.clone(),
                why: error.to_string(),
            };
            let mut zip = ArchiveWriter::default();
            for (inside, bytes) in &files {
                zip.add(inside, bytes).map_err(failed)?;
            }
            let zip = zip.finish().map_err(failed)?;
            self.files.insert(path, zip.to_vec());
        }
        for (stem, bytes) in self.descriptors {
            // A folder of documents has a descriptor and no content.
            let name = self.documents.get(&stem).cloned().unwrap_or(stem);
            self.files.insert(format!("{name}{META}"), bytes);
        }
        Ok(self.files)
    }
}

/// The files in source format of one file in a package.
pub(super) fn to_source(
    files: &Files,
    kind: &MetadataType,
    path: &str,
    bytes: &[u8],
) -> Result<Vec<(String, Vec<u8>)>, ConvertError> {
    if kind.name == "Document" {
        let plain = path.strip_suffix(META);
        let placed = match plain.and_then(|plain| plain.rsplit_once('.')) {
            Some((stem, _)) => format!("{stem}.document{META}"),
            None => match plain {
                Some(folder) => format!("{folder}.documentFolder{META}"),
                None => path.to_owned(),
            },
        };
        return Ok(vec![(placed, bytes.to_owned())]);
    }
    let Some(resource) = path.strip_suffix(".resource") else {
        return Ok(vec![(path.to_owned(), bytes.to_owned())]);
    };
    let descriptor = format!("{path}{META}");
    let content_type = match files.get(&descriptor) {
        Some(bytes) => content_type(&descriptor, bytes)?,
        None => String::new(),
    };
    if ARCHIVES.contains(&content_type.as_str()) {
        let mut unpacked = Vec::new();
        let attempted = format!("unpack {path}");
        let read = ZipReader::open(&attempted, bytes.to_owned()).and_then(|mut zip| {
            zip.each(|inside, bytes| {
                unpacked.push((format!("{resource}/{inside}"), bytes));
                Ok::<_, syncline_salesforce::Error>(())
            })
        });
        // Some resources say they are archives and are none.
        if read.is_ok() && !unpacked.is_empty() {
            return Ok(unpacked);
        }
    }
    let extension = EXTENSIONS.iter().find(|(known, _)| *known == content_type);
    let extension = extension.map_or(OTHER, |(_, extension)| extension);
    Ok(vec![(format!("{resource}.{extension}"), bytes.to_owned())])
}

fn content_type(path: &str, bytes: &[u8]) -> Result<String, ConvertError> {
    let (_, parsed) = splice::parse(path, bytes)?;
    let element = parsed
        .descendants()
        .find(|node| node.tag_name().name() == "contentType");
    Ok(element
        .and_then(|node| node.text())
        .unwrap_or_default()
        .trim()
        .to_owned())
}
