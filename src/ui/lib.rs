//! Components: plain semantic HTML in the classes of the style sheet. No word of the product's trade appears here.
//! The surprising part: everything works as HTML before the wasm arrives; what needs script is hidden or a link until then.

pub mod address;
pub mod button;
pub mod card;
pub mod cell;
pub mod chart;
pub mod choice;
pub mod dialog;
mod draft;
pub mod empty;
pub mod field;
pub mod figures;
pub mod filters;
pub mod form;
pub mod form_action;
pub mod gallery;
pub mod get_form;
pub mod hydrated;
pub mod input;
pub mod json;
pub mod kpi;
pub mod list;
mod list_view;
pub mod live;
pub mod load;
pub mod mark;
pub mod menu;
pub mod page_boundary;
pub mod page_frame;
pub mod place;
pub mod player;
pub mod preferences;
pub mod route_chain;
pub mod shortcuts;
pub mod steps;
pub mod table;
pub mod toast;
pub mod waveform;

pub use address::{query, with_query};
pub use button::{Button, ButtonKind, CopyButton, IconButton, LinkButton};
pub use card::{Banner, Callout, Card, Fact, Facts};
pub use chart::{BarChart, LineChart, Series};
pub use choice::{Boxes, Checkbox, RadioCards, RadioOption, Switch};
pub use dialog::{ConfirmForm, Dialog, DialogLink};
pub use draft::forget_drafts_on_leaving;
pub use empty::{EmptyState, NoMatch, Skeleton, Trouble};
pub use field::{Field, FormActs};
pub use figures::{Legend, Progress, Segment, SegmentBar, Spark};
pub use filters::{Filter, FilterBar, options_of};
pub use form::{FormErrors, FormScope, ServerForm, SubmitButton, use_errors};
pub use form_action::{FormAction, PostForm};
pub use get_form::GetForm;
pub use hydrated::{hydrated, mark_hydrated};
pub use input::{DateTimeInput, Fieldset, FileDrop, Select, TextArea, TextInput};
pub use json::Json;
pub use kpi::{Direction, Kpi, Kpis};
pub use list::List;
pub use load::{Loaded, PageView, load};
pub use mark::{Avatar, Icon, State, StatusDot, Tag, Time};
pub use menu::{Menu, MenuButton, MenuForm, MenuLink};
pub use page_boundary::{BlockBoundary, PageBoundary};
pub use page_frame::{Crumb, PageHead, PageTitle, TabItem, Tabs, crumb, tab};
pub use player::{AudioPlayer, Player};
pub use route_chain::{RouteChain, RouteNode};
pub use steps::{Step, StepState, Stepper};
pub use table::{DataTable, ExportLink, Pager, SortHead};
pub use toast::{toast, toast_with};
pub use waveform::{Marker, Waveform, clock};

/// Text as the content of an element. Not for attributes: quotes stay.
pub fn escape_html(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}
