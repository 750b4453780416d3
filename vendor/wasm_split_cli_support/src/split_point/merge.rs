//! [Patchbay] Fewer, larger chunks.
//!
//! What several split modules share is emitted as one chunk for every set of modules that shares something. With forty
//! pages that makes hundreds of files of a kilobyte or two, and one page asks for a hundred of them. Chunks are merged
//! here until few are left, always the two whose merging makes pages load the fewest bytes that they do not need. A
//! merged chunk is loaded by every module that needs either part, so what was loaded before is still loaded.
//!
//! One split module can be named as the one that is loaded first. What it shares with others goes to the main module: then
//! the first visit loads the main module and this one, and nothing in vain. What two thirds of all modules share goes there, too.

use std::collections::{BTreeSet, HashMap};

use super::{OutputModuleInfo, SplitModuleIdentifier};
use crate::dep_graph::DepNode;
use crate::read::InputModule;
use wasmparser::SymbolInfo;

/// What one more file costs, in bytes of wasm: its own header, imports and exports, and a request.
const FILE_COST: u64 = 6_000;

/// Split modules that there may be.
const MOST: usize = 512;

/// One bit for each split module.
#[derive(Clone, Copy, Default)]
struct Set([u64; MOST / 64]);

impl Set {
    fn add(&mut self, at: usize) {
        self.0[at / 64] |= 1 << (at % 64);
    }

    fn has(&self, at: usize) -> bool {
        self.0[at / 64] >> (at % 64) & 1 == 1
    }

    fn join(&mut self, other: &Self) {
        self.0.iter_mut().zip(other.0).for_each(|(own, other)| *own |= other);
    }

    /// How many are in both.
    fn shared(&self, other: &Self) -> u64 {
        self.0.iter().zip(other.0).map(|(own, other)| u64::from((own & other).count_ones())).sum()
    }

    /// How many are in the other one alone.
    fn lacks(&self, other: &Self) -> u64 {
        self.0.iter().zip(other.0).map(|(own, other)| u64::from((!own & other).count_ones())).sum()
    }
}

/// What so many of a hundred split modules share joins the main module: nearly everybody needs it sooner or later.
const MOST_PAGES: usize = 65;

struct Chunk {
    /// The split modules that load it.
    needed_by: Set,
    size: u64,
    parts: Vec<SplitModuleIdentifier>,
}

/// Bytes that are loaded in vain when two chunks are one.
fn waste(a: &Chunk, b: &Chunk) -> u64 {
    a.size * a.needed_by.lacks(&b.needed_by) + b.size * b.needed_by.lacks(&a.needed_by)
}

/// The partner behind `at` with which merging it wastes least.
fn best(chunks: &[Option<Chunk>], at: usize) -> Option<(u64, usize)> {
    let own = chunks[at].as_ref()?;
    let behind = chunks.iter().enumerate().skip(at + 1);
    behind.filter_map(|(other, chunk)| Some((waste(own, chunk.as_ref()?), other))).min()
}

/// Merges chunks in `contents` until at most `most` are left, and further while a file less is worth more than the bytes
/// that are loaded in vain. `first` is how the name of the split module begins whose shared parts join the main module.
///
/// # Panics
/// With more than 512 split modules: make `MOST` larger. Left alone they would be thousands of files.
pub fn merge_chunks(
    contents: &mut HashMap<SplitModuleIdentifier, OutputModuleInfo>,
    module: &InputModule,
    most: usize,
    first: Option<&str>,
) {
    let names: Vec<String> = contents
        .keys()
        .flat_map(|identifier| match identifier {
            SplitModuleIdentifier::Main => vec![],
            SplitModuleIdentifier::Split(name) => vec![name.clone()],
            SplitModuleIdentifier::Chunk(names) => names.iter().cloned().collect(),
        })
        .collect::<BTreeSet<_>>()
        .into_iter()
        .collect();
    assert!(names.len() <= MOST, "more split modules than merge.rs counts: {}", names.len());
    let set = |needed_by: &mut dyn Iterator<Item = &String>| {
        let mut set = Set::default();
        needed_by.for_each(|name| set.add(names.binary_search(name).unwrap()));
        set
    };
    let is_first = |name: &String| first.is_some_and(|first| name.starts_with(first));

    let mut chunks = Vec::new();
    let mut join_main = Vec::new();
    for (identifier, info) in contents.iter() {
        let SplitModuleIdentifier::Chunk(needed_by) = identifier else {
            continue;
        };
        if needed_by.iter().any(is_first) || needed_by.len() * 100 >= names.len() * MOST_PAGES {
            join_main.push(identifier.clone());
        } else {
            chunks.push(Chunk {
                needed_by: set(&mut needed_by.iter()),
                size: size(info, module),
                parts: vec![identifier.clone()],
            });
        }
    }
    // A stable order, so that the same input gives the same files.
    chunks.sort_by(|a, b| a.parts.cmp(&b.parts));

    // The best partner of each is kept: looking at all pairs again after each merging takes minutes with a hundred and fifty pages.
    let mut chunks: Vec<Option<Chunk>> = chunks.into_iter().map(Some).collect();
    let mut partners: Vec<Option<(u64, usize)>> = (0..chunks.len()).map(|at| best(&chunks, at)).collect();
    let mut left = chunks.len();
    while left > 1 {
        let pairs = partners.iter().enumerate();
        let Some((least, a, b)) = pairs.filter_map(|(a, partner)| partner.map(|(waste, b)| (waste, a, b))).min() else {
            break;
        };
        let (Some(into), Some(from)) = (&chunks[a], &chunks[b]) else { unreachable!("partners are there") };
        let saved = FILE_COST * into.needed_by.shared(&from.needed_by);
        if left <= most && least > saved {
            break;
        }
        let gone = chunks[b].take().unwrap();
        let merged = chunks[a].as_mut().unwrap();
        merged.needed_by.join(&gone.needed_by);
        merged.size += gone.size;
        merged.parts.extend(gone.parts);
        left -= 1;
        partners[b] = None;
        for at in 0..b {
            let Some((least, partner)) = partners[at] else { continue };
            if at == a || partner == a || partner == b {
                partners[at] = best(&chunks, at);
            } else if at < a {
                let (Some(own), Some(merged)) = (&chunks[at], &chunks[a]) else { continue };
                partners[at] = Some((least, partner).min((waste(own, merged), a)));
            }
        }
    }

    let named = |needed_by: Set| {
        let needs = |at: &usize| needed_by.has(*at);
        SplitModuleIdentifier::Chunk((0..names.len()).filter(needs).map(|at| names[at].clone()).collect())
    };
    // All are taken out before any goes in: a merged chunk may have the name of one that was there before.
    let merged: Vec<(SplitModuleIdentifier, Vec<DepNode>)> = chunks
        .into_iter()
        .flatten()
        .map(|chunk| (named(chunk.needed_by), chunk.parts))
        .chain([(SplitModuleIdentifier::Main, join_main)])
        .map(|(identifier, parts)| {
            let symbols = parts
                .iter()
                .filter_map(|part| contents.remove(part))
                .flat_map(|info| info.included_symbols)
                .collect();
            (identifier, symbols)
        })
        .collect();
    for (identifier, symbols) in merged {
        contents.entry(identifier).or_default().included_symbols.extend(symbols);
    }
}

/// Bytes of the functions and data in `info`.
fn size(info: &OutputModuleInfo, module: &InputModule) -> u64 {
    info.included_symbols
        .iter()
        .map(|symbol| match *symbol {
            DepNode::Function(index) => index
                .checked_sub(module.imported_funcs.len())
                .map_or(0, |defined| {
                    let body = module.defined_funcs[defined].body.range();
                    (body.end - body.start) as u64
                }),
            DepNode::DataSymbol(index) => match module.reloc_info.symbols[index] {
                SymbolInfo::Data {
                    symbol: Some(data), ..
                } => u64::from(data.size),
                _ => 0,
            },
            _ => 0,
        })
        .sum()
}
