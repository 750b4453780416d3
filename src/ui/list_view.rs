//! How a list becomes HTML. `list` is what pages use.

use std::any::Any;

use leptos::prelude::*;

use super::empty::EmptyStateProps;
use super::filters::FilterBarProps;
use super::page_boundary::{Content, boundary};
use super::page_frame::PageHeadProps;
use super::{
    ButtonKind, Crumb, DataTable, EmptyState, ExportLink, Filter, FilterBar, LinkButton, NoMatch, PageHead, PageTitle,
    Pager, SortHead, live, query,
};

/// What stands around the list; built once.
#[derive(Default)]
pub struct Frame {
    pub title: &'static str,
    pub heading: &'static str,
    pub parents: Vec<Crumb>,
    pub sub: Option<&'static str>,
    pub export: Option<&'static str>,
    pub actions: Vec<AnyView>,
    pub above: Vec<AnyView>,
    pub within: Option<Box<dyn FnOnce(AnyView) -> AnyView>>,
    pub topics: &'static [&'static str],
}

/// The list itself; built again for every answer of the server.
#[derive(Default)]
pub struct Body {
    pub label: &'static str,
    pub what: Option<&'static str>,
    pub class: &'static str,
    pub note: &'static str,
    pub columns: Vec<Column>,
    pub sorted: &'static str,
    pub search: Option<&'static str>,
    pub placeholder: &'static str,
    pub filters: Vec<Filter>,
    pub keep: Vec<&'static str>,
    pub narrowed_by: &'static [&'static str],
    pub add: Option<Add>,
    pub first: Option<&'static str>,
    pub empty: Option<Empty>,
    pub no_match_in_card: bool,
}

/// Makes the cell of a row, which must be of the list's type.
pub type DrawCell = Box<dyn Fn(&dyn Any) -> AnyView + Send + Sync>;

/// What the list says of every row at one place.
pub struct Column {
    pub head: &'static str,
    pub kind: Kind,
    /// Of the cells; the head is only ever a number's head or none.
    pub class: &'static str,
    pub sort: Option<&'static str>,
    pub cell: DrawCell,
}

/// What is special about a column.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    Plain,
    Number,
    /// Its head is for screen readers.
    Acts,
    /// What the list is ordered by, always.
    Newest,
}

/// The one thing to add here.
#[derive(Clone, Copy)]
pub struct Add {
    pub icon: &'static str,
    pub href: Signal<String>,
    pub label: &'static str,
}

/// What stands there while there is nothing yet.
pub enum Empty {
    Words { icon: &'static str, title: &'static str, text: &'static str },
    View(Box<dyn Fn() -> AnyView + Send + Sync>),
}

impl Frame {
    /// The page: head, what is above the list, filters unless they come with the rows, and the list.
    pub fn view(self, body: &Body, content: Content, refetch: Box<dyn Fn()>, filters: bool) -> AnyView {
        let Self { title, heading, parents, sub, export, actions, above, within, topics } = self;
        if !topics.is_empty() {
            live::on_change(topics, refetch);
        }
        let add = body.add;
        let has_actions = export.is_some() || add.is_some() || !actions.is_empty();
        let actions = move || {
            view! {
                {export.map(|path| view! { <ExportLink path/> })}
                {actions}
                {add.map(|add| add.view(add.label))}
            }
            .into_any()
        };
        let head = PageHead(PageHeadProps {
            title: heading.to_owned(),
            sub: sub.map(str::to_owned),
            sub_view: None,
            tags: None,
            actions: has_actions.then(|| actions.into()),
        });
        let filters = (filters && body.has_filters()).then(|| body.filter_bar(Vec::new()));
        let list = view! { {above} {filters} {boundary(content, None, true)} }.into_any();
        let list = match within {
            Some(within) => within(list),
            None => list,
        };
        view! { <PageTitle text=title parents/> {head} {list} }.into_any()
    }
}

impl Body {
    /// One more column.
    pub fn push(&mut self, head: &'static str, kind: Kind, cell: DrawCell) {
        let class = if kind == Kind::Acts { "acts" } else { "" };
        self.columns.push(Column { head, kind, class, sort: None, cell });
    }

    /// Changes the last column.
    pub fn last(&mut self, change: impl FnOnce(&mut Column)) {
        if let Some(column) = self.columns.last_mut() {
            change(column);
        }
    }

    /// There is something to search or choose.
    pub fn has_filters(&self) -> bool {
        self.search.is_some() || !self.filters.is_empty()
    }

    fn filter_bar(&self, more: Vec<Filter>) -> AnyView {
        FilterBar(FilterBarProps {
            search: self.search,
            placeholder: self.placeholder.to_owned(),
            filters: self.filters.iter().cloned().chain(more).collect(),
            keep: self.keep.clone(),
            children: None,
        })
        .into_any()
    }

    /// The list, below its filters if they are given here.
    pub fn view(
        &self,
        rows: Vec<&dyn Any>,
        newer: Option<String>,
        older: Option<String>,
        filters: Option<Vec<Filter>>,
    ) -> AnyView {
        // As in a component: reading the address here must not build the old rows again when it changes.
        untrack(|| {
            let list = if rows.is_empty() {
                self.nothing(filters.as_deref().unwrap_or_default())
            } else {
                self.rows(rows, newer, older)
            };
            match filters {
                Some(filters) => view! { {self.filter_bar(filters)} {list} }.into_any(),
                None => list,
            }
        })
    }

    fn rows(&self, rows: Vec<&dyn Any>, newer: Option<String>, older: Option<String>) -> AnyView {
        let heads: Vec<AnyView> = self.columns.iter().map(|column| column.head(self.sorted)).collect();
        let rows: Vec<AnyView> = rows
            .into_iter()
            .map(|row| {
                let cells: Vec<AnyView> = self.columns.iter().map(|column| column.cell(row)).collect();
                view! { <tr>{cells}</tr> }.into_any()
            })
            .collect();
        view! {
            <section class="card clip">
                <DataTable label=self.label class=self.class head=move || heads>{rows}</DataTable>
                <Pager newer older note=self.note/>
            </section>
        }
        .into_any()
    }

    fn nothing(&self, more: &[Filter]) -> AnyView {
        let filters = self.filters.iter().chain(more).map(|filter| filter.name);
        let mut keys = self.narrowed_by.iter().copied().chain(["cursor"]).chain(self.search).chain(filters);
        let is_narrowed = keys.any(|key| query(key).is_some());
        match &self.empty {
            Some(Empty::View(view)) if !is_narrowed => view(),
            Some(Empty::Words { icon, title, text }) if !is_narrowed => {
                let first = self.add.map(|add| add.view(self.first.unwrap_or(add.label)));
                let children = first.map(|first| -> Children { Box::new(move || first) });
                in_card(
                    EmptyState(EmptyStateProps {
                        icon,
                        title: (*title).to_owned(),
                        text: (*text).to_owned(),
                        small: false,
                        children,
                    })
                    .into_any(),
                )
            }
            _ => {
                let what = self.what.map_or_else(|| self.label.to_ascii_lowercase(), str::to_owned);
                let view = view! { <NoMatch what/> }.into_any();
                if self.no_match_in_card { in_card(view) } else { view }
            }
        }
    }
}

fn in_card(view: AnyView) -> AnyView {
    view! { <section class="card">{view}</section> }.into_any()
}

impl Add {
    fn view(self, label: &'static str) -> AnyView {
        view! { <LinkButton href=self.href kind=ButtonKind::Primary icon=self.icon>{label}</LinkButton> }.into_any()
    }
}

impl Column {
    fn head(&self, sorted: &'static str) -> AnyView {
        let (head, num) = (self.head, self.kind == Kind::Number);
        match (self.sort, self.kind) {
            (Some(key), kind) => {
                let descending_first = matches!(kind, Kind::Number | Kind::Newest);
                view! { <SortHead label=head key default=sorted num descending_first/> }.into_any()
            }
            (None, Kind::Acts) => view! { <th scope="col"><span class="sr">{head}</span></th> }.into_any(),
            (None, Kind::Newest) => {
                view! { <th scope="col" aria-sort="descending">{format!("{head} ↓")}</th> }.into_any()
            }
            (None, Kind::Number) => view! { <th scope="col" class="num">{head}</th> }.into_any(),
            (None, Kind::Plain) => view! { <th scope="col">{head}</th> }.into_any(),
        }
    }

    fn cell(&self, row: &dyn Any) -> AnyView {
        let cell = (self.cell)(row);
        let class = match (self.kind, self.class) {
            (Kind::Number, "") => "num".to_owned(),
            (Kind::Number, class) => format!("num {class}"),
            (_, "") => return view! { <td>{cell}</td> }.into_any(),
            (_, class) => class.to_owned(),
        };
        view! { <td class=class>{cell}</td> }.into_any()
    }
}
