//! No door without a test: a new server function, route or page that is not in the access matrix fails here.

use std::collections::BTreeSet;

use patchbay::app::App;

use super::access_matrix::{FUNCTIONS, OTHER_ROUTES, PAGES, ROUTES};
use super::support::{run, sources};

fn same(what: &str, existing: &BTreeSet<String>, listed: &[&str]) {
    let once: BTreeSet<String> = listed.iter().map(|name| (*name).to_owned()).collect();
    assert_eq!(once.len(), listed.len(), "{what}: one is listed twice");
    let missing: Vec<_> = existing.difference(&once).collect();
    let gone: Vec<_> = once.difference(existing).collect();
    assert!(
        missing.is_empty() && gone.is_empty(),
        "{what}: not in the matrix: {missing:?}; in it, but nowhere else: {gone:?}"
    );
}

#[test]
fn every_server_function_is_in_the_matrix() {
    let existing = leptos::server_fn::axum::server_fn_paths();
    let existing = existing.map(|(path, _)| path.strip_prefix("/rpc/").expect("below /rpc").to_owned()).collect();
    same("server functions", &existing, &FUNCTIONS.iter().map(|door| door.name).collect::<Vec<_>>());
}

#[test]
fn every_route_is_in_the_matrix() {
    let mut existing = BTreeSet::new();
    for (path, text) in sources("src", ".rs") {
        // The stand-ins are no part of the product's address space, and static files are nobody's secret.
        if path.starts_with("src/sandbox/") || path == "src/boot/static_files.rs" {
            continue;
        }
        for rest in text.split(".route(").skip(1) {
            if let Some(route) = rest.trim_start().strip_prefix('"').and_then(|rest| rest.split('"').next()) {
                existing.insert(route.to_owned());
            }
        }
    }
    let of_routes = ROUTES.iter().map(|door| door.name.split(' ').nth(1).expect("a path"));
    let listed: Vec<&str> = of_routes.chain(OTHER_ROUTES.iter().map(|(path, _)| *path)).collect();
    same("routes", &existing, &listed);
}

#[test]
fn every_page_is_in_the_matrix() {
    run(|_| async {
        let existing = leptos_axum::generate_route_list(App).iter().map(|route| route.path().to_owned()).collect();
        same("pages", &existing, &PAGES.iter().map(|door| door.name).collect::<Vec<_>>());
    });
}
