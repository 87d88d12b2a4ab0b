//! Links between the pages that people read lead somewhere.

use std::path::{Path, PathBuf};

use audit_who_testkit::context::workspace_root;

/// Folders of pages, below the root of the workspace.
const FOLDERS: &[&str] = &[".", "docs", "docs/adr", "fixtures"];

#[test]
fn links_lead_to_files_and_headings() {
    let pages: Vec<PathBuf> =
        FOLDERS.iter().flat_map(|folder| pages(&workspace_root().join(folder))).collect();
    assert!(pages.len() > 10, "{pages:?}");
    let mut dead = Vec::new();
    for page in &pages {
        let text = std::fs::read_to_string(page).unwrap();
        for link in links(&text).filter(|link| !link.contains("://")) {
            if !leads_somewhere(page, link) {
                dead.push(format!("{}: {link}", page.display()));
            }
        }
    }
    assert!(dead.is_empty(), "{}", dead.join("\n"));
}

/// The Markdown files in a folder.
fn pages(folder: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder).expect("the folder");
    let paths = entries.map(|entry| entry.expect("an entry").path());
    paths.filter(|path| path.extension().is_some_and(|extension| extension == "md")).collect()
}

/// What stands in `](…)`.
fn links(text: &str) -> impl Iterator<Item = &str> {
    text.split("](").skip(1).filter_map(|rest| rest.split_once(')')).map(|(link, _)| link)
}

fn leads_somewhere(page: &Path, link: &str) -> bool {
    let (file, anchor) = link.split_once('#').map_or((link, None), |(file, anchor)| (file, Some(anchor)));
    let file = if file.is_empty() { page.to_owned() } else { page.with_file_name(file) };
    match (std::fs::read_to_string(&file), anchor) {
        (Err(_), _) => file.is_dir() && anchor.is_none(),
        (Ok(_), None) => true,
        (Ok(text), Some(anchor)) => text.lines().any(|line| heading(line).as_deref() == Some(anchor)),
    }
}

/// The anchor of a heading, as forges make it.
fn heading(line: &str) -> Option<String> {
    let title = line.strip_prefix('#')?.trim_start_matches('#').trim().to_lowercase();
    let kept = title.chars().filter(|letter| letter.is_alphanumeric() || matches!(letter, ' ' | '-'));
    Some(kept.map(|letter| if letter == ' ' { '-' } else { letter }).collect())
}
