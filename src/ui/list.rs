//! List pages. All have one shape: head with actions, filters, table, pager, and words for when there is nothing. A page says
//! what its list has; how that is shown stands here once.
//!
//! ```ignore
//! /// The agency's clients.
//! #[lazy]
//! pub fn clients_page() -> PageView {
//!     let asked = || (query("q"), query("state").as_deref() == Some("archived"), query("cursor"));
//!     let rows = load(asked, |(words, archived, cursor)| list_clients(words, archived, cursor));
//!     Arc::new(move || {
//!         List::<ClientRow>::new("Clients")
//!             .live(&["clients"])
//!             .export("/clients.csv")
//!             .add(viewer().may(Action::ManageClients), "plus", "/clients/new", "New client")
//!             .search("q", "Part of the name")
//!             .filter(Filter::new("state", "State", options_of([("archived", "Archived")])))
//!             .column("Client", |row| cell::link(format!("/clients/{}", row.id), &row.name))
//!             .number("Agents", |row| row.agents)
//!             .column("Since", |row| cell::time(&row.created))
//!             .column("State", |row| cell::state(row.status))
//!             .empty("building-2", "No clients yet", "A client is a customer of your agency.")
//!             .first("Add the first client")
//!             .page(rows)
//!     })
//! }
//! ```
//!
//! The surprising part: types of rows end at the closures of the columns. Behind them a row is `dyn Any`, so that the browser
//! carries the code of lists once and not once for every list.

use std::any::Any;
use std::marker::PhantomData;
use std::sync::Arc;

use leptos::prelude::*;
use serde::de::DeserializeOwned;

use super::list_view::{Add, Body, Empty, Frame, Kind};
use super::page_boundary::content_of;
use super::{Crumb, Filter, Loaded};
use patchbay_shared::Page;

/// A list of `R`, and the page around it. Say what it has, then end with [`page`](Self::page) or, inside a page that builds
/// its own head, with [`show`](Self::show).
#[must_use = "a list shows once it ends with `page` or `show`"]
pub struct List<R> {
    frame: Box<Frame>,
    body: Box<Body>,
    rows: PhantomData<fn(&R)>,
}

/// What a list takes from an answer of the server: a page of rows, or a page of rows and filters that came with them.
pub trait Part<R> {
    /// The filters stand where the rows do, because they are not known earlier.
    const BRINGS_FILTERS: bool;

    /// The page, and the filters that came with it.
    fn split(self) -> (Page<R>, Vec<Filter>);
}

impl<R> Part<R> for Page<R> {
    const BRINGS_FILTERS: bool = false;

    fn split(self) -> (Page<R>, Vec<Filter>) {
        (self, Vec::new())
    }
}

impl<R> Part<R> for (Page<R>, Vec<Filter>) {
    const BRINGS_FILTERS: bool = true;

    fn split(self) -> (Page<R>, Vec<Filter>) {
        self
    }
}

impl<R: 'static> List<R> {
    /// A list of fifty rows a page. `title` is the document's title, the page's heading and the table's name.
    pub fn new(title: &'static str) -> Self {
        let frame = Frame { title, heading: title, ..Frame::default() };
        let body = Body { label: title, note: "50 per page", ..Body::default() };
        Self { frame: Box::new(frame), body: Box::new(body), rows: PhantomData }
    }

    /// The page's heading, where it is not the title.
    pub fn heading(mut self, heading: &'static str) -> Self {
        self.frame.heading = heading;
        self
    }

    /// The table's name, where it is not the title.
    pub fn label(mut self, label: &'static str) -> Self {
        self.body.label = label;
        self
    }

    /// The plural of what is listed, for “No … match”, where it is not the table's name.
    pub fn what(mut self, what: &'static str) -> Self {
        self.body.what = Some(what);
        self
    }

    /// A page above this one.
    pub fn under(mut self, parent: Crumb) -> Self {
        self.frame.parents.push(parent);
        self
    }

    /// A line below the heading.
    pub fn subtitle(mut self, sub: &'static str) -> Self {
        self.frame.sub = Some(sub);
        self
    }

    /// Topics whose notices ask for the rows again.
    pub fn live(mut self, topics: &'static [&'static str]) -> Self {
        self.frame.topics = topics;
        self
    }

    /// Where the list is downloaded, filtered as it is.
    pub fn export(mut self, path: &'static str) -> Self {
        self.frame.export = Some(path);
        self
    }

    /// A further action in the head, between the export and what `add` says.
    pub fn action(mut self, action: impl IntoView + 'static) -> Self {
        self.frame.actions.push(action.into_any());
        self
    }

    /// What can be added here, if the person may: the last action of the head, and the first step while there is nothing.
    pub fn add(mut self, may: bool, icon: &'static str, href: impl Into<Signal<String>>, label: &'static str) -> Self {
        self.body.add = may.then(|| Add { icon, href: href.into(), label });
        self
    }

    /// Something between the head and the filters: tabs, figures.
    pub fn above(mut self, view: impl IntoView + 'static) -> Self {
        self.frame.above.push(view.into_any());
        self
    }

    /// Puts everything below the head into a frame, such as the columns of the settings.
    pub fn within<V: IntoView + 'static>(mut self, frame: impl FnOnce(AnyView) -> V + 'static) -> Self {
        self.frame.within = Some(Box::new(move |list| frame(list).into_any()));
        self
    }

    /// The list can be searched: the query key of the words, and what they are looked for in.
    pub fn search(mut self, key: &'static str, placeholder: &'static str) -> Self {
        self.body.search = Some(key);
        self.body.placeholder = placeholder;
        self
    }

    /// One more filter.
    pub fn filter(mut self, filter: Filter) -> Self {
        self.body.filters.push(filter);
        self
    }

    /// Query keys that the filters leave as they are.
    pub fn keep(mut self, keys: &[&'static str]) -> Self {
        self.body.keep.extend(keys);
        self
    }

    /// Query keys besides search, filters and cursor that leave rows out: with one of them set, nothing to show means that
    /// nothing matches.
    pub fn narrowed_by(mut self, keys: &'static [&'static str]) -> Self {
        self.body.narrowed_by = keys;
        self
    }

    /// Classes of the table: `wide`, `mid`, `wrap`, `top`.
    pub fn table(mut self, class: &'static str) -> Self {
        self.body.class = class;
        self
    }

    /// The words beside the pager, where they are not “50 per page”.
    pub fn note(mut self, note: &'static str) -> Self {
        self.body.note = note;
        self
    }

    /// How the list is sorted when the address says nothing, for example `-started`.
    pub fn sorted(mut self, sort: &'static str) -> Self {
        self.body.sorted = sort;
        self
    }

    /// A column: the words of its head, and what stands in the cell of a row. `cell` has functions for the usual ones.
    pub fn column<V: IntoView + 'static>(
        self,
        head: &'static str,
        cell: impl Fn(&R) -> V + Send + Sync + 'static,
    ) -> Self {
        self.push(head, Kind::Plain, cell)
    }

    /// A column of figures or amounts.
    pub fn number<V: IntoView + 'static>(
        self,
        head: &'static str,
        cell: impl Fn(&R) -> V + Send + Sync + 'static,
    ) -> Self {
        self.push(head, Kind::Number, cell)
    }

    /// The column of times that the list is ordered by, newest first.
    pub fn newest<V: IntoView + 'static>(
        self,
        head: &'static str,
        cell: impl Fn(&R) -> V + Send + Sync + 'static,
    ) -> Self {
        self.push(head, Kind::Newest, cell)
    }

    /// A column of buttons; its head is for screen readers.
    pub fn acts<V: IntoView + 'static>(
        self,
        head: &'static str,
        cell: impl Fn(&R) -> V + Send + Sync + 'static,
    ) -> Self {
        self.push(head, Kind::Acts, cell)
    }

    fn push<V: IntoView + 'static>(
        mut self,
        head: &'static str,
        kind: Kind,
        cell: impl Fn(&R) -> V + Send + Sync + 'static,
    ) -> Self {
        self.body.push(head, kind, Box::new(move |row: &dyn Any| cell(row_of(row)).into_any()));
        self
    }

    /// Of the column before: classes of its cells.
    pub fn class(mut self, class: &'static str) -> Self {
        self.body.last(|column| column.class = class);
        self
    }

    /// Of the column before: its head sorts the list by this key of the query.
    pub fn sort(mut self, key: &'static str) -> Self {
        self.body.last(|column| column.sort = Some(key));
        self
    }

    /// Of the column before: it is there only if this is so.
    pub fn when(mut self, is_so: bool) -> Self {
        if !is_so {
            self.body.columns.pop();
        }
        self
    }

    /// What is said while there is nothing yet, with the button of `add`. Without it an empty list says that nothing matches.
    pub fn empty(mut self, icon: &'static str, title: &'static str, text: &'static str) -> Self {
        self.body.empty = Some(Empty::Words { icon, title, text });
        self
    }

    /// The words of the button while there is nothing yet, where they are not those of `add`.
    pub fn first(mut self, label: &'static str) -> Self {
        self.body.first = Some(label);
        self
    }

    /// What stands there while there is nothing yet, if `empty` has not enough words for it.
    pub fn empty_view<V: IntoView + 'static>(mut self, view: impl Fn() -> V + Send + Sync + 'static) -> Self {
        self.body.empty = Some(Empty::View(Box::new(move || view().into_any())));
        self
    }

    /// “No … match” stands in a card.
    pub fn no_match_in_card(mut self) -> Self {
        self.body.no_match_in_card = true;
        self
    }

    /// The whole page.
    pub fn page(self, rows: Loaded<Page<R>>) -> AnyView
    where
        R: DeserializeOwned + Clone + Send + Sync,
    {
        self.page_of(rows, |page| page)
    }

    /// The whole page, if the answer holds more than a page of rows. `part` takes out the page, or the page and filters.
    pub fn page_of<T, P>(self, rows: Loaded<T>, part: impl Fn(T) -> P + Send + 'static) -> AnyView
    where
        T: DeserializeOwned + Clone + Send + Sync + 'static,
        P: Part<R>,
    {
        let body = Arc::<Body>::from(self.body);
        let shared = body.clone();
        let content = content_of(rows, move |answer| {
            let (page, filters) = part(answer).split();
            shared.view(any(&page.rows), page.newer, page.older, P::BRINGS_FILTERS.then_some(filters))
        });
        self.frame.view(&body, content, Box::new(move || rows.refetch()), !P::BRINGS_FILTERS)
    }

    /// Filters, if it has any, and rows. For pages with a head of their own, where the data is there already: what belongs to
    /// the head and `live` are then the page's.
    pub fn show(self, page: Page<R>) -> AnyView {
        let filters = self.body.has_filters().then(Vec::new);
        self.body.view(any(&page.rows), page.newer, page.older, filters)
    }
}

fn any<R: 'static>(rows: &[R]) -> Vec<&dyn Any> {
    rows.iter().map(|row| row as &dyn Any).collect()
}

fn row_of<R: 'static>(row: &dyn Any) -> &R {
    let Some(row) = row.downcast_ref() else { unreachable!("a row of the type that was put in") };
    row
}
