//! Where a page of engines or targets begins, and which of them it shows.

use uuid::Uuid;

use crate::model::setup::SetupQuery;
use patchbay_shared::Cursor;
use patchbay_shared::search::name_place;

pub(super) struct Place {
    pub cursor: Option<Cursor>,
    pub name: Option<String>,
    pub id: Option<Uuid>,
    pub ascending: bool,
}

impl Place {
    pub fn of(query: &SetupQuery) -> Self {
        let cursor = Cursor::parse(query.cursor.as_deref()).filter(|cursor| name_place(&cursor.key).is_some());
        let place = cursor.as_ref().and_then(|cursor| name_place(&cursor.key));
        let (name, id) = place.map_or((None, None), |(name, id)| (Some(name.to_owned()), Some(id)));
        let is_natural = query.sort.as_deref() != Some("-name");
        let ascending = is_natural == cursor.as_ref().is_none_or(|cursor| cursor.older);
        Self { cursor, name, id, ascending }
    }
}

/// Whether those in use are asked for, or those that are not. None: all.
pub(super) fn state(query: &SetupQuery) -> Option<bool> {
    match query.state.as_deref() {
        Some("inactive") => Some(false),
        Some("all") => None,
        _ => Some(true),
    }
}
