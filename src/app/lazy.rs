//! Pages whose code the browser loads when they are opened.

use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};

use leptos::prelude::*;
use leptos_router::ChooseView;

use patchbay_ui::PageView;

type Opening = Pin<Box<dyn Future<Output = PageView>>>;

/// A page as the router sees it. It has one type for all pages: the router's code for a route is compiled once, not once per
/// page.
#[derive(Clone)]
pub struct LazyPage {
    open: Arc<dyn Fn() -> Opening + Send + Sync>,
    made: Arc<Mutex<Option<PageView>>>,
}

impl LazyPage {
    /// The page that the `#[lazy]` function `open` makes. In the browser that loads its code first.
    pub fn new<F>(open: impl Fn() -> F + Send + Sync + 'static) -> Self
    where
        F: Future<Output = PageView> + 'static,
    {
        Self { open: Arc::new(move || Box::pin(open())), made: Arc::default() }
    }

    fn made(&self) -> std::sync::MutexGuard<'_, Option<PageView>> {
        self.made.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl ChooseView for LazyPage {
    async fn choose(self) -> AnyView {
        let made = self.made().clone();
        let view = match made {
            Some(view) => view,
            None => (self.open)().await,
        };
        view()
    }

    async fn preload(&self) {
        let view = (self.open)().await;
        *self.made() = Some(view);
    }
}
