//! What the demo's agents can look things up in: small files as offices have them, uploaded through the product, and a page by address.

use super::story::Served;
use super::visit::Visit;
use patchbay_shared::AppError;

/// A collection of a client: name, what is in it, and files by name.
type Shelf = (&'static str, &'static str, &'static [(&'static str, &'static str)]);

const DENTAL: Shelf = (
    "Prices and practice",
    "What callers of the practice ask",
    &[
        ("Handbuch der Praxis.md", include_str!("library/alpenrad-handbook.md")),
        ("Price list.csv", include_str!("library/alpenrad-prices.csv")),
    ],
);
const SOLAR: Shelf = (
    "Panels and rebates",
    "Costs, warranty and rented homes",
    &[("Panels and rebates.html", include_str!("library/northbeam-rebates.html"))],
);
const HOTEL: Shelf = (
    "Preguntas frecuentes",
    "What guests ask before they arrive",
    &[("Preguntas frecuentes.txt", include_str!("library/costa-clara.txt"))],
);

/// Fills the collections of those clients that have some. What is there already stays. `pages`: where the stand-ins have a web site.
pub(crate) async fn fill(owner: &Visit, served: &Served, pages: &str) -> Result<(), AppError> {
    let (name, description, files) = match served.client.name {
        "Alpenrad Dental" => DENTAL,
        "Northbeam Solar" => SOLAR,
        "Hotel Costa Clara" => HOTEL,
        _ => return Ok(()),
    };
    let (known, _) = owner.post("list_knowledge", &[("query[of]", &served.id)]).await?;
    if known["page"]["rows"].as_array().is_some_and(|rows| !rows.is_empty()) {
        return Ok(());
    }
    let fields = [("name", name), ("description", description), ("client", served.id.as_str())];
    let (_, location) = owner.post("save_knowledge", &fields).await?;
    let id = super::visit::id_in(&location);
    for (file, text) in files {
        owner.send_file(&format!("/knowledge/{id}/files"), file, text.as_bytes().to_vec()).await?;
    }
    if served.client.name == "Alpenrad Dental" {
        let address = format!("{pages}/costs");
        owner.post("add_knowledge_page", &[("id", &id), ("address", &address)]).await?;
    }
    open_to_agents(owner, served, &id).await
}

/// Gives the client's own agents a tool that searches the collection: calls then show which passages were used.
async fn open_to_agents(owner: &Visit, served: &Served, collection: &str) -> Result<(), AppError> {
    let (agents, _) = owner.post("client_agents", &[("client", &served.id)]).await?;
    let chosen = format!("collections_{collection}");
    for agent in agents.as_array().into_iter().flatten().filter_map(|agent| agent["id"].as_str()) {
        let fields = [
            ("agent", agent),
            ("kind", "knowledge"),
            ("tool_name", "search_documents"),
            ("description", "Searches prices, opening hours and conditions. Use it before you answer such a question."),
            (chosen.as_str(), "true"),
        ];
        owner.post("save_agent_tool", &fields).await?;
    }
    Ok(())
}
