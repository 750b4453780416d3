//! How loud each side of a call was over time. A file with two channels tells them apart; in a mono file the transcript says who
//! was speaking when.

use std::io::Read;

use crate::model::Peaks;

/// Somebody spoke from here to there, in seconds.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Span {
    pub by_agent: bool,
    pub from: f64,
    pub to: f64,
}

/// About this many pairs, however long the call was.
const PAIRS: usize = 800;

/// Reads a WAV file. Errors: what is wrong with the file.
pub(crate) fn of_wav(file: impl Read, spans: &[Span]) -> Result<Peaks, String> {
    let mut reader = hound::WavReader::new(file).map_err(|error| error.to_string())?;
    let spec = reader.spec();
    let channels = usize::from(spec.channels.max(1));
    let scale = 1.0 / (2.0_f32).powi(i32::from(spec.bits_per_sample.max(1)) - 1);
    // A sample that cannot be read ends the sound: a file may be shorter than its head says.
    let samples: Box<dyn Iterator<Item = f32> + '_> = match spec.sample_format {
        hound::SampleFormat::Float => Box::new(reader.samples::<f32>().map_while(Result::ok)),
        hound::SampleFormat::Int => {
            Box::new(reader.samples::<i32>().map_while(Result::ok).map(move |sample| sample as f32 * scale))
        }
    };
    // Loudest sample of each hundredth of a second, per channel; the buckets of the picture are made from these.
    let step = (spec.sample_rate as usize / 100).max(1);
    let mut fine: Vec<[f32; 2]> = Vec::new();
    for (index, sample) in samples.enumerate() {
        let (frame, channel) = (index / channels, (index % channels).min(1));
        let slot = frame / step;
        if slot >= fine.len() {
            fine.push([0.0; 2]);
        }
        let place = &mut fine[slot][channel];
        *place = place.max(sample.abs());
    }
    if fine.is_empty() {
        return Err("the file holds no sound".into());
    }
    let slot_seconds = step as f64 / f64::from(spec.sample_rate.max(1));
    let lanes = if channels > 1 { by_channel(&fine, slot_seconds, spans) } else { by_span(&fine, slot_seconds, spans) };
    Ok(Peaks {
        seconds: (fine.len() as f64 * slot_seconds * 100.0).round() / 100.0,
        agent: buckets(&lanes, 0),
        caller: buckets(&lanes, 1),
    })
}

/// The agent's channel is the one that is louder while the agent speaks.
fn by_channel(fine: &[[f32; 2]], slot_seconds: f64, spans: &[Span]) -> Vec<[f32; 2]> {
    let mut favour = 0.0_f32;
    for span in spans {
        let (from, to) = slots(span, slot_seconds, fine.len());
        let difference: f32 = fine[from..to].iter().map(|[left, right]| left - right).sum();
        favour += if span.by_agent { difference } else { -difference };
    }
    if favour >= 0.0 { fine.to_vec() } else { fine.iter().map(|[left, right]| [*right, *left]).collect() }
}

/// Sound belongs to whoever speaks; between turns it stays with whoever spoke last.
fn by_span(fine: &[[f32; 2]], slot_seconds: f64, spans: &[Span]) -> Vec<[f32; 2]> {
    let mut speaks = vec![[false; 2]; fine.len()];
    for span in spans {
        let (from, to) = slots(span, slot_seconds, fine.len());
        for slot in &mut speaks[from..to] {
            slot[usize::from(!span.by_agent)] = true;
        }
    }
    let mut last = [true, false];
    fine.iter()
        .zip(speaks)
        .map(|([sound, _], now)| {
            if now[0] || now[1] {
                last = now;
            }
            [if last[0] { *sound } else { 0.0 }, if last[1] { *sound } else { 0.0 }]
        })
        .collect()
}

fn slots(span: &Span, slot_seconds: f64, most: usize) -> (usize, usize) {
    let slot = |seconds: f64| ((seconds.max(0.0) / slot_seconds) as usize).min(most);
    let from = slot(span.from);
    (from, slot(span.to).max(from))
}

fn buckets(lanes: &[[f32; 2]], lane: usize) -> Vec<u8> {
    let loudest = lanes.iter().flatten().fold(0.001_f32, |most, sample| most.max(*sample));
    lanes
        .chunks(lanes.len().div_ceil(PAIRS))
        .map(|part| {
            let peak = part.iter().map(|pair| pair[lane]).fold(0.0_f32, f32::max);
            (peak / loudest * 100.0).round().clamp(0.0, 100.0) as u8
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wav(channels: u16, frames: impl Iterator<Item = Vec<i16>>) -> Vec<u8> {
        let spec = hound::WavSpec {
            channels,
            sample_rate: 8000,
            bits_per_sample: 16,
            sample_format: hound::SampleFormat::Int,
        };
        let mut out = std::io::Cursor::new(Vec::new());
        let mut writer = hound::WavWriter::new(&mut out, spec).unwrap();
        frames.flatten().for_each(|sample| writer.write_sample(sample).unwrap());
        writer.finalize().unwrap();
        out.into_inner()
    }

    #[test]
    fn a_mono_file_is_split_by_the_transcript() {
        let sound = wav(1, (0..16_000).map(|at| vec![if at < 8000 { 10_000 } else { 5_000 }]));
        let spans = [Span { by_agent: true, from: 0.0, to: 1.0 }, Span { by_agent: false, from: 1.0, to: 2.0 }];
        let peaks = of_wav(&sound[..], &spans).unwrap();
        assert_eq!(peaks.seconds, 2.0);
        assert_eq!((peaks.agent[10], peaks.caller[10]), (100, 0));
        assert_eq!((peaks.agent[150], peaks.caller[150]), (0, 50));
    }

    #[test]
    fn the_agents_channel_is_found() {
        let sound = wav(2, (0..16_000).map(|at| if at < 8000 { vec![0, 9_000] } else { vec![9_000, 0] }));
        let spans = [Span { by_agent: true, from: 0.0, to: 1.0 }, Span { by_agent: false, from: 1.0, to: 2.0 }];
        let peaks = of_wav(&sound[..], &spans).unwrap();
        assert_eq!((peaks.agent[10], peaks.caller[10]), (100, 0));
        assert!(of_wav(&b"not a wav"[..], &spans).is_err());
    }
}
