//! [Patchbay] Fewer, larger chunks.
//!
//! What several split modules share is emitted as one chunk for every set of modules that shares something. With forty
//! pages that makes hundreds of files of a kilobyte or two, and one page asks for a hundred of them. Chunks are merged
//! here until few are left, always the two whose merging makes pages load the fewest bytes that they do not need. A
//! merged chunk is loaded by every module that needs either part, so what was loaded before is still loaded.
//!
//! One split module can be named as the one that is loaded first. What it shares with others goes to the main module: then
//! the first visit loads the main module and this one, and nothing in vain.

use std::collections::{BTreeSet, HashMap};

use super::{OutputModuleInfo, SplitModuleIdentifier};
use crate::dep_graph::DepNode;
use crate::read::InputModule;
use wasmparser::SymbolInfo;

/// What one more file costs, in bytes of wasm: its own header, imports and exports, and a request.
const FILE_COST: u64 = 6_000;

struct Chunk {
    /// One bit for each split module that loads it.
    needed_by: u128,
    size: u64,
    parts: Vec<SplitModuleIdentifier>,
}

/// Merges chunks in `contents` until at most `most` are left, and further while a file less is worth more than the bytes
/// that are loaded in vain. `first` is how the name of the split module begins whose shared parts join the main module.
/// More than 128 split modules are left alone.
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
    if names.len() > 128 {
        return;
    }
    let bit = |name: &String| 1u128 << names.binary_search(name).unwrap();
    let is_first = |name: &String| first.is_some_and(|first| name.starts_with(first));

    let mut chunks = Vec::new();
    let mut join_main = Vec::new();
    for (identifier, info) in contents.iter() {
        let SplitModuleIdentifier::Chunk(needed_by) = identifier else {
            continue;
        };
        if needed_by.iter().any(is_first) || needed_by.len() == names.len() {
            join_main.push(identifier.clone());
        } else {
            chunks.push(Chunk {
                needed_by: needed_by.iter().map(bit).fold(0, |all, one| all | one),
                size: size(info, module),
                parts: vec![identifier.clone()],
            });
        }
    }
    // A stable order, so that the same input gives the same files.
    chunks.sort_by(|a, b| a.parts.cmp(&b.parts));

    let waste = |a: &Chunk, b: &Chunk| {
        let all = a.needed_by | b.needed_by;
        let in_vain = |chunk: &Chunk| chunk.size * u64::from((all & !chunk.needed_by).count_ones());
        in_vain(a) + in_vain(b)
    };
    while chunks.len() > 1 {
        let (least, a, b) = (0..chunks.len())
            .flat_map(|a| (a + 1..chunks.len()).map(move |b| (a, b)))
            .map(|(a, b)| (waste(&chunks[a], &chunks[b]), a, b))
            .min()
            .unwrap();
        let saved = FILE_COST * u64::from((chunks[a].needed_by & chunks[b].needed_by).count_ones());
        if chunks.len() <= most && least > saved {
            break;
        }
        let gone = chunks.remove(b);
        chunks[a].needed_by |= gone.needed_by;
        chunks[a].size += gone.size;
        chunks[a].parts.extend(gone.parts);
    }

    let named = |needed_by: u128| {
        let needs = |at: &usize| needed_by >> at & 1 == 1;
        SplitModuleIdentifier::Chunk((0..names.len()).filter(needs).map(|at| names[at].clone()).collect())
    };
    // All are taken out before any goes in: a merged chunk may have the name of one that was there before.
    let merged: Vec<(SplitModuleIdentifier, Vec<DepNode>)> = chunks
        .into_iter()
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
