//! Knowledge by its meaning: a model that is chosen reads passages, vectors of two models never meet, trouble with it never fails a search,
//! and calls show which passages were used.

use patchbay_access::Action;
use patchbay_access::server::{Machine, Scope};
use patchbay_knowledge::server::{Question, search, stuck};
use patchbay_runs::model::Trigger;
use patchbay_runs::server::{self as runs, NewRun};
use patchbay_sandbox::{FaultRates, SandboxSettings};
use patchbay_shared::ids::{CallId, CollectionId, RunId, WorkspaceId};
use patchbay_tools::model::Origin;
use patchbay_tools::server::{self as tools, Invocation, live};
use serde_json::{Value, json};

use super::knowledge::{HANDBOOK, added as upload, asked, body, collection, file};
use super::models::{added as account, choose};
use super::support::{Agency, World, owner_lines, owner_value, run};
use super::tools::{added as tool, call_of, knock};

const SMALL: &str = "text-embedding-3-small";
/// It shares no stem with the handbook, and means what its first part says.
const OTHER_WORDS: &str = "What are the charges?";

/// A model for meaning. Gives the account and its key.
async fn with_model(agency: &Agency) -> (String, String) {
    let (id, key) = account(agency, "openai_compatible", "Vectors").await;
    choose(agency, "embedding", &id, SMALL).await;
    agency.drain().await;
    (id, key)
}

fn fail(world: &World, key: &str, error: f64) {
    let settings = SandboxSettings::clone(&world.sandbox.settings_for(key));
    let model_faults = FaultRates { error, ..FaultRates::default() };
    world.sandbox.set_settings(Some(key), SandboxSettings { model_faults, ..settings });
}

async fn sql(world: &World, statement: String) {
    sqlx::raw_sql(sqlx::AssertSqlSafe(statement)).execute(&world.owner).await.expect("a statement");
}

/// Which search is in force in a collection.
async fn state(agency: &Agency, id: &str) -> Value {
    agency.member.done("get_knowledge", &[("id", id)]).await.json()["meaning"].clone()
}

/// All that a question comes to.
async fn answer(agency: &Agency, id: &str, question: &str) -> Value {
    agency.member.done("ask_knowledge", &[("id", id), ("question", question)]).await.json()
}

fn upkeep(world: &World, agency: &Agency) -> Scope {
    let tenant: WorkspaceId = agency.workspace_id.parse().expect("an id");
    Scope::of_upkeep(world.db.clone(), tenant, Machine { name: "a test", actions: &[Action::ReplayQueues] })
}

async fn lengths(world: &World, agency: &Agency) -> Vec<String> {
    let workspace = &agency.workspace_id;
    let all = format!(
        "select count(*) || ' of ' || cardinality(v.vector) || ', ' || s.model from knowledge_vectors v
         join knowledge_vector_sets s on s.id = v.set_id
         where v.workspace_id = '{workspace}' group by cardinality(v.vector), s.model order by 1"
    );
    owner_lines(world, &all).await
}

#[test]
fn what_says_the_same_in_other_words_is_found() {
    run(|world| async move {
        let agency = Agency::new(world, "meaning").await;
        let id = collection(&agency, "Prices").await;
        upload(&agency, &id, "Handbook.md", HANDBOOK).await;
        agency.drain().await;
        let page = format!("/knowledge/{id}");
        let shown = agency.owner.get(&page).await.text;
        assert!(shown.contains("Found by words alone") && shown.contains("/connections/models/embedding"), "{shown}");
        assert!(asked(&agency, &id, OTHER_WORDS).await.is_empty(), "by words alone nothing is found");
        let count = format!("select count(*) from token_usage where workspace_id = '{}'", agency.workspace_id);
        assert_eq!(owner_value::<i64>(world, &count).await, 0, "who has chosen nothing pays nothing");

        with_model(&agency).await;
        let now = state(&agency, &id).await;
        assert_eq!((&now["passages"], &now["known"]), (&json!(2), &json!(2)), "{now}");
        let found = answer(&agency, &id, OTHER_WORDS).await;
        assert_eq!(found["way"], json!({"WordsAndMeaning": {"model": SMALL}}), "{found}");
        let hits = found["hits"].as_array().expect("passages");
        assert!(body(&hits[0]).contains("168 francs"), "{found}");
        assert!(hits[0]["words"].is_null() && hits[0]["meaning"].as_f64().is_some_and(|near| near > 0.15), "{found}");
        assert_eq!(hits.len(), 1, "the opening hours have nothing to do with it: {found}");
        let both = asked(&agency, &id, "What does a cleaning cost?").await;
        assert!(both[0]["words"].is_f64() && both[0]["meaning"].is_f64(), "{both:?}");
        assert!(asked(&agency, &id, "zeppelin").await.is_empty(), "what has nothing to do with the files is not found");
        let shown = agency.member.get(&format!("{page}?question=What+are+the+charges%3F")).await.text;
        for words in ["Found by words and meaning (text-embedding-3-small)", "Meaning 0."] {
            assert!(shown.contains(words), "{words}: {shown}");
        }
        // What it took is written down, without a price until there is one.
        let took = format!(
            "select distinct purpose || ' ' || model || ' ' || coalesce(cost::text, 'not priced') || ' ' || is_estimated
             from token_usage where workspace_id = '{}' and prompt_tokens > 0",
            agency.workspace_id
        );
        assert_eq!(owner_lines(world, &took).await, [format!("embedding {SMALL} not priced false")]);

        // A file that comes later is read, too, and one that is read again has the vectors of its new passages alone.
        upload(&agency, &id, "Pets.md", "# Pets\n\nDogs wait outside.").await;
        agency.drain().await;
        let hits = asked(&agency, &id, "May I bring a cat?").await;
        assert!(body(&hits[0]).contains("Dogs") && hits[0]["words"].is_null(), "{hits:?}");
        let pets = file(&agency, &id, "Pets.md").await["id"].as_str().expect("an id").to_owned();
        agency.admin.done("reindex_knowledge_file", &[("id", &pets)]).await;
        agency.drain().await;
        assert_eq!(lengths(world, &agency).await, [format!("3 of 256, {SMALL}")]);
        agency.admin.done("delete_knowledge_file", &[("id", &pets)]).await;
        assert_eq!(lengths(world, &agency).await, [format!("2 of 256, {SMALL}")]);
    });
}

#[test]
fn vectors_of_two_models_never_meet() {
    run(|world| async move {
        let agency = Agency::new(world, "models-change").await;
        let id = collection(&agency, "Prices").await;
        upload(&agency, &id, "Handbook.md", HANDBOOK).await;
        let (account, _) = with_model(&agency).await;
        assert_eq!(lengths(world, &agency).await, [format!("2 of 256, {SMALL}")]);

        choose(&agency, "embedding", &account, "text-embedding-3-large").await;
        let found = answer(&agency, &id, OTHER_WORDS).await;
        assert!(found["hits"].as_array().is_some_and(Vec::is_empty), "nobody has read the passages yet: {found}");
        assert!(found["way"]["WordsAlone"]["why"].as_str().is_some_and(|why| why.contains("not read")), "{found}");
        let words = state(&agency, &id).await;
        assert_eq!(
            (&words["known"], &words["model"]["model"]),
            (&json!(0), &json!("text-embedding-3-large")),
            "{words}"
        );
        agency.drain().await;
        assert_eq!(lengths(world, &agency).await, ["2 of 384, text-embedding-3-large"]);
        assert_eq!(asked(&agency, &id, OTHER_WORDS).await.len(), 1);

        // Another model answers under the name: what it says is not mixed in, and the page says what to do.
        let workspace = agency.workspace_id.clone();
        sql(world, format!("update knowledge_vector_sets set dimensions = 100 where workspace_id = '{workspace}'"))
            .await;
        let found = answer(&agency, &id, OTHER_WORDS).await;
        assert!(found["way"]["WordsAlone"]["why"].as_str().is_some_and(|why| why.contains("not those")), "{found}");
        upload(&agency, &id, "Pets.md", "# Pets\n\nDogs wait outside.").await;
        agency.drain().await;
        let trouble = state(&agency, &id).await["model"]["trouble"].clone();
        let said = trouble["sentence"].as_str().unwrap_or_default();
        assert!(said.contains("384 numbers") && said.contains("take the choice back"), "{trouble}");
        assert_eq!(lengths(world, &agency).await, ["2 of 384, text-embedding-3-large"]);

        // Taken back: all of it goes, and words alone decide.
        choose(&agency, "embedding", "", "").await;
        agency.drain().await;
        assert!(lengths(world, &agency).await.is_empty());
        let sets = format!("select count(*) from knowledge_vector_sets where workspace_id = '{workspace}'");
        assert_eq!(owner_value::<i64>(world, &sets).await, 0);
        assert_eq!(answer(&agency, &id, OTHER_WORDS).await["way"], "Words");
        choose(&agency, "embedding", &account, SMALL).await;
        agency.drain().await;
        assert_eq!(lengths(world, &agency).await, [format!("3 of 256, {SMALL}")]);

        // Another server stands behind the account: what the one before made of passages goes, and they are read anew.
        sql(
            world,
            format!("update knowledge_vector_sets set address = 'elsewhere' where workspace_id = '{workspace}'"),
        )
        .await;
        assert_eq!(state(&agency, &id).await["known"], 0);
        assert_eq!(stuck::sweep(&upkeep(world, &agency)).await, Ok(1));
        agency.drain().await;
        assert_eq!(lengths(world, &agency).await, [format!("3 of 256, {SMALL}")]);
    });
}

#[test]
fn a_model_that_does_not_answer_fails_no_search() {
    run(|world| async move {
        let agency = Agency::new(world, "meaning-down").await;
        let id = collection(&agency, "Prices").await;
        let (account, key) = with_model(&agency).await;
        fail(world, &key, 1.0);
        upload(&agency, &id, "Handbook.md", HANDBOOK).await;
        agency.drain().await;
        assert_eq!(file(&agency, &id, "Handbook.md").await["status"], "indexed", "words are found at once");
        let page = format!("/knowledge/{id}");
        let shown = agency.member.get(&page).await.text;
        for words in
            ["Found by words alone until text-embedding-3-small answers", "The model server is having problems"]
        {
            assert!(shown.contains(words), "{words}: {shown}");
        }
        assert!(!shown.contains(&key), "no page shows the key");
        let found = answer(&agency, &id, "cleaning").await;
        assert!(body(&found["hits"][0]).contains("168 francs"), "{found}");
        assert!(found["way"]["WordsAlone"]["why"].as_str().is_some_and(|why| why.contains("problems")), "{found}");

        fail(world, &key, 0.0);
        agency.drain().await;
        assert_eq!(asked(&agency, &id, OTHER_WORDS).await.len(), 1);
        assert!(state(&agency, &id).await["model"]["trouble"].is_null());
        // An owner switches the account off.
        agency.owner.done("switch_connection", &[("provider", &account)]).await;
        let found = answer(&agency, &id, "cleaning").await;
        assert!(found["way"]["WordsAlone"]["why"].as_str().is_some_and(|why| why.contains("switched off")), "{found}");
        assert_eq!(found["hits"].as_array().map(Vec::len), Some(1), "{found}");
        upload(&agency, &id, "Pets.md", "# Pets\n\nDogs wait outside.").await;
        agency.drain().await;
        let now = state(&agency, &id).await;
        assert_eq!((&now["passages"], &now["known"]), (&json!(3), &json!(2)), "{now}");
        assert!(now["model"]["trouble"]["sentence"].as_str().is_some_and(|why| why.contains("switch it on")), "{now}");
        // And on again; and then it goes away between two questions.
        agency.owner.done("switch_connection", &[("provider", &account), ("on", "true")]).await;
        agency.drain().await;
        assert_eq!(state(&agency, &id).await["known"], 3);
        fail(world, &key, 1.0);
        let shown = agency.member.get(&format!("{page}?question=cleaning")).await;
        assert!(shown.status == 200 && shown.text.contains("168 francs"), "{shown:?}");
        assert!(shown.text.contains("by words alone, without text-embedding-3-small"), "{}", shown.text);
    });
}

#[test]
fn passages_that_nobody_reads_are_read_and_blank_ones_are_left_in_peace() {
    run(|world| async move {
        let agency = Agency::new(world, "meaning-lost").await;
        let id = collection(&agency, "Prices").await;
        with_model(&agency).await;
        upload(&agency, &id, "Handbook.md", HANDBOOK).await;
        agency.drain().await;
        let workspace = agency.workspace_id.clone();
        // Its job is gone, and one passage has nothing but spaces.
        sql(world, format!("delete from knowledge_vectors where workspace_id = '{workspace}'")).await;
        sql(
            world,
            format!("update knowledge_chunks set body = '   ' where workspace_id = '{workspace}' and position = 1"),
        )
        .await;
        agency.drain().await;
        assert_eq!(state(&agency, &id).await["known"], 0);
        let scope = upkeep(world, &agency);
        assert_eq!(stuck::sweep(&scope).await, Ok(1));
        agency.drain().await;
        assert_eq!(state(&agency, &id).await["known"], 2);
        assert_eq!(stuck::sweep(&scope).await, Ok(0), "nothing is left to do");
        assert_eq!(lengths(world, &agency).await, [format!("1 of 0, {SMALL}"), format!("1 of 256, {SMALL}")]);
        assert_eq!(asked(&agency, &id, OTHER_WORDS).await.len(), 1);
    });
}

#[test]
fn a_passage_that_the_model_refuses_holds_up_no_other() {
    run(|world| async move {
        let agency = Agency::new(world, "meaning-refused").await;
        let id = collection(&agency, "Prices").await;
        // One that is refused as a whole, and one whose beginning is taken.
        let long = "Dogs wait outside. ".repeat(20);
        let bad = format!("# Tokens\n\nIt ends with <|endoftext|> and so on.\n\n# Pets\n\n{long} <|endoftext|>\n");
        upload(&agency, &id, "Bad.md", bad).await;
        upload(&agency, &id, "Handbook.md", HANDBOOK).await;
        agency.drain().await;
        let (account, _) = with_model(&agency).await;
        let now = state(&agency, &id).await;
        assert_eq!((&now["passages"], &now["known"]), (&json!(4), &json!(4)), "{now}");
        assert!(now["model"]["trouble"].is_null(), "{now}");
        assert_eq!(lengths(world, &agency).await, [format!("1 of 0, {SMALL}"), format!("3 of 256, {SMALL}")]);
        assert!(body(&asked(&agency, &id, "May I bring a cat?").await[0]).contains("Dogs"));
        assert!(body(&asked(&agency, &id, "endoftext").await[0]).contains("It ends with"), "its words are found");
        // A model that refuses everything is no passage's fault.
        choose(&agency, "embedding", &account, "gpt-5").await;
        agency.drain().await;
        let now = state(&agency, &id).await;
        let said = now["model"]["trouble"]["sentence"].as_str().unwrap_or_default();
        assert!(now["known"] == 0 && said.contains("has no embeddings"), "{now}");
    });
}

#[test]
fn nobody_finds_what_another_agency_knows() {
    run(|world| async move {
        let ours = Agency::new(world, "meaning-ours").await;
        let theirs = Agency::new(world, "meaning-theirs").await;
        let (our_id, their_id) = (collection(&ours, "Prices").await, collection(&theirs, "Prices").await);
        upload(&ours, &our_id, "Ours.md", HANDBOOK).await;
        upload(&theirs, &their_id, "Theirs.md", HANDBOOK).await;
        with_model(&ours).await;
        with_model(&theirs).await;
        let reads = Machine { name: "a test", actions: &[Action::ReadWorkshop, Action::UseConnections] };
        let tenant: WorkspaceId = ours.workspace_id.parse().expect("an id");
        let scope = Scope::of_operator(world.db.clone(), tenant, reads);
        let ids: Vec<CollectionId> = [&our_id, &their_id].map(|id| id.parse().expect("an id")).to_vec();
        let question = Question { text: OTHER_WORDS, collections: &ids, limit: 10, client: None, agent: None };
        let (found, _) = search(&scope, &question).await.expect("passages");
        assert_eq!(found.iter().map(|one| one.file.as_str()).collect::<Vec<_>>(), ["Ours.md"]);
        let question = Question { collections: &ids[1..], ..question };
        assert!(search(&scope, &question).await.expect("passages").0.is_empty());
        for person in [&theirs.owner, &ours.one.admin, &ours.one.viewer] {
            let fields = [("id", our_id.as_str()), ("question", OTHER_WORDS)];
            assert_eq!(person.rpc("ask_knowledge", &fields).await.status, 404);
        }
    });
}

#[test]
fn a_call_and_its_run_show_the_passages_that_were_used() {
    run(|world| async move {
        let (agency, works) = Agency::ready(world, "passages").await;
        let agent = works.agent.as_str();
        let id = collection(&agency, "Prices").await;
        upload(&agency, &id, "Handbook.md", HANDBOOK).await;
        with_model(&agency).await;
        let call = call_of(&agency, world, &works).await;
        let box_name = format!("collections_{id}");
        let fields = [("tool_name", "documents"), (box_name.as_str(), "true")];
        let tool = tool(&agency, &format!("/agents/{agent}/tools/new?kind=knowledge"), &fields).await;
        sql(world, format!("update calls set ended_at = null where id = '{call}'")).await;
        let workspace: WorkspaceId = agency.workspace_id.parse().expect("an id");
        let of_call: CallId = call.parse().expect("an id");
        let token = live::token(world.db.services(), workspace, of_call).expect("a token").expose().clone();
        let door = format!("/hooks/tools/{workspace}/{tool}/documents");
        for question in [OTHER_WORDS, "What is the fee for it?", "When do you open?"] {
            let told = knock(world, &door, Some(&token), None, &json!({"question": question})).await;
            assert!(told.status == 200 && told.text.contains("Handbook.md, "), "{question}: {told:?}");
        }
        let call_page = format!("/calls/{call}");
        let of_call = agency.member.done("get_call", &[("id", &call)]).await.json()["knowledge"].clone();
        let places: Vec<(&str, i64)> = of_call
            .as_array()
            .expect("passages")
            .iter()
            .map(|one| (one["place"].as_str().unwrap_or_default(), one["times"].as_i64().unwrap_or_default()))
            .collect();
        assert_eq!(places, [("Prices", 2), ("Opening hours", 1)], "{of_call}");
        assert_eq!(of_call[0]["found_by"], "meaning", "{of_call}");
        let of_run = agency.member.done("get_run", &[("id", &call)]).await.json()["knowledge"].clone();
        assert_eq!(of_run, of_call);
        let href = of_call[0]["href"].as_str().expect("a link").to_owned();
        for page in [call_page.clone(), format!("/runs/{call}")] {
            let shown = agency.member.get(&page).await.text;
            for words in ["Knowledge used", "Handbook.md", "found by meaning", href.as_str()] {
                assert!(shown.contains(words), "{page}, {words}: {shown}");
            }
        }
        let used = of_call[0]["use_href"].as_str().expect("a link");
        let shown = agency.member.get(used).await.text;
        assert!(shown.contains(&format!("Searched by words and meaning ({SMALL})")), "{shown}");
        // What a question cost stands on the client's account.
        let paid = format!(
            "select count(*) from token_usage where workspace_id = '{workspace}' and purpose = 'embedding' and client_id = '{}'",
            agency.one.id
        );
        assert_eq!(owner_value::<i64>(world, &paid).await, 3);

        // A run that is no call keeps them, too, and its question goes on the agency's own account.
        let does = &[
            Action::UseTools,
            Action::ReadWorkshop,
            Action::UseConnections,
            Action::ReadContacts,
            Action::ManageAgents,
        ];
        let scope = Scope::of_operator(world.db.clone(), workspace, Machine { name: "a test", actions: does });
        let (own, client) = (RunId::new(), agency.one.id.parse().expect("an id"));
        let mut tx = scope.write(Action::ManageAgents).await.expect("a transaction");
        let new = NewRun {
            id: own,
            agent: agent.parse().expect("an id"),
            client: Some(client),
            trigger: Trigger::Suite,
            title: "A test",
            started_by: None,
            prompt_version: None,
        };
        runs::start(&mut tx, &new).await.expect("a run");
        let given = tools::for_agent(tx.reading(), new.agent).await.expect("tools");
        tx.commit().await.expect("committed");
        let invocation = Invocation {
            origin: Origin::Run,
            call: None,
            run: Some(own),
            client: Some(client),
            contact: None,
            phone: None,
        };
        let told = tools::invoke(&scope, &given[0], json!({"question": OTHER_WORDS}), &invocation).await;
        assert!(!told.is_error, "{told:?}");
        let of_own = agency.member.done("get_run", &[("id", &own.to_string())]).await.json()["knowledge"].clone();
        assert_eq!((of_own.as_array().map(Vec::len), &of_own[0]["place"]), (Some(1), &json!("Prices")), "{of_own}");
        assert_eq!(owner_value::<i64>(world, &paid).await, 3);

        // The client's people learn nothing of it.
        for person in [&agency.one.admin, &agency.one.viewer] {
            let seen = person.done("get_call", &[("id", &call)]).await.json();
            assert_eq!(seen["knowledge"], json!([]), "{seen}");
            assert!(!person.get(&call_page).await.text.contains("Knowledge used"));
        }
        // A deleted file still names itself.
        let entry = file(&agency, &id, "Handbook.md").await["id"].as_str().expect("an id").to_owned();
        agency.admin.done("delete_knowledge_file", &[("id", &entry)]).await;
        let shown = agency.member.get(&call_page).await.text;
        assert!(shown.contains("Handbook.md") && shown.contains("the file was deleted since"), "{shown}");
        assert!(!shown.contains(&href), "and leads nowhere");
    });
}
