//! Recordings: not speech, but something that sounds like two people taking turns. A buzzing source at the pitch of a voice runs
//! through three resonances that move from vowel to vowel, a syllable for every few letters, silence in between.

use std::io::Cursor;

use super::conversation::{Role, Turn};
use super::rng::Rng;

const RATE: u32 = 8_000;
/// Resonances in Hz of five vowels.
const VOWELS: [[f64; 3]; 5] = [
    [730.0, 1090.0, 2440.0],
    [530.0, 1840.0, 2480.0],
    [270.0, 2290.0, 3010.0],
    [570.0, 840.0, 2410.0],
    [300.0, 870.0, 2240.0],
];

/// A mono 16-bit WAV of exactly `length` seconds; equal turns and salt give equal bytes.
pub(super) fn recording(turns: &[Turn], length: f64, salt: &str) -> Vec<u8> {
    let total = (length.max(0.0) * f64::from(RATE)).round() as usize;
    let mut samples = vec![0.0_f32; total];
    let mut rng = Rng::new(17, salt);
    let agent_pitch = rng.between([165.0, 205.0]);
    let user_pitch = rng.between([95.0, 135.0]);
    for turn in turns {
        let (pitch, throat) = match turn.role {
            Role::Agent => (agent_pitch, 1.12),
            Role::User => (user_pitch, 0.94),
            Role::ToolCall | Role::ToolResult => continue,
        };
        let from = (turn.start * f64::from(RATE)) as usize;
        let to = ((turn.end * f64::from(RATE)) as usize).min(total);
        if from < to {
            speak(&mut samples[from..to], &turn.text, pitch, throat, &mut rng);
        }
    }
    write(&samples)
}

fn speak(out: &mut [f32], text: &str, pitch: f64, throat: f64, rng: &mut Rng) {
    let syllables: Vec<(usize, bool)> = syllables(text);
    let spoken = syllables.len().max(1);
    let each = out.len() / spoken;
    let mut resonances = [Resonance::default(), Resonance::default(), Resonance::default()];
    let mut phase = 0.0_f64;
    for (index, (vowel, ends_phrase)) in syllables.iter().enumerate() {
        let part = &mut out[index * each..(index + 1) * each];
        // The voice falls towards the end of a sentence, and each syllable has its own small lift.
        let fall = 1.12 - 0.22 * (index as f64 / spoken as f64);
        let lift = rng.between([0.94, 1.08]);
        for (resonance, frequency) in resonances.iter_mut().zip(VOWELS[*vowel]) {
            resonance.tune(frequency * throat);
        }
        let sounding = if *ends_phrase { part.len() * 6 / 10 } else { part.len() * 88 / 100 };
        let loud = rng.between([0.75, 1.0]);
        for (at, sample) in part.iter_mut().enumerate().take(sounding) {
            let progress = at as f64 / sounding.max(1) as f64;
            let envelope = (progress * 8.0).min(1.0) * ((1.0 - progress) * 5.0).min(1.0);
            phase += pitch * fall * lift / f64::from(RATE);
            phase -= phase.floor();
            // A soft pulse once a period, and breath at the beginning of the syllable like a consonant.
            let pulse = (1.0 - phase * 2.0) * 0.8;
            let breath = if progress < 0.14 { rng.unit() * 2.0 - 1.0 } else { 0.0 };
            let source = pulse + breath * 0.6;
            let voiced: f64 =
                resonances.iter_mut().zip([1.0, 0.6, 0.3]).map(|(resonance, gain)| resonance.run(source) * gain).sum();
            *sample = (voiced * envelope * loud) as f32;
        }
    }
}

/// A vowel for every syllable, and whether a pause follows.
fn syllables(text: &str) -> Vec<(usize, bool)> {
    let mut out = Vec::new();
    for word in text.split_whitespace() {
        let letters: Vec<char> = word.chars().filter(|c| c.is_alphanumeric()).collect();
        for piece in letters.chunks(3) {
            let sum: usize = piece.iter().map(|c| *c as usize).sum();
            out.push((sum % VOWELS.len(), false));
        }
        if let Some(last) = out.last_mut().filter(|_| word.ends_with(['.', ',', '?', '!', ';', ':', '।'])) {
            last.1 = true;
        }
    }
    out
}

/// A two-pole resonator.
#[derive(Default)]
struct Resonance {
    gain: f64,
    a: f64,
    b: f64,
    last: f64,
    before: f64,
}

impl Resonance {
    fn tune(&mut self, frequency: f64) {
        let width = 90.0;
        let radius = (-std::f64::consts::PI * width / f64::from(RATE)).exp();
        let angle = 2.0 * std::f64::consts::PI * frequency.min(3_800.0) / f64::from(RATE);
        self.a = 2.0 * radius * angle.cos();
        self.b = -radius * radius;
        self.gain = 1.0 - radius;
    }

    fn run(&mut self, input: f64) -> f64 {
        let out = self.gain * input + self.a * self.last + self.b * self.before;
        self.before = self.last;
        self.last = out;
        out
    }
}

fn write(samples: &[f32]) -> Vec<u8> {
    let peak = samples.iter().fold(0.0_f32, |most, sample| most.max(sample.abs())).max(0.001);
    let scale = 0.7 * f32::from(i16::MAX) / peak;
    let spec =
        hound::WavSpec { channels: 1, sample_rate: RATE, bits_per_sample: 16, sample_format: hound::SampleFormat::Int };
    let mut out = Cursor::new(Vec::with_capacity(samples.len() * 2 + 64));
    let mut writer = hound::WavWriter::new(&mut out, spec).expect("memory takes every write");
    for sample in samples {
        writer.write_sample((sample * scale) as i16).expect("memory takes every write");
    }
    writer.finalize().expect("memory takes every write");
    out.into_inner()
}
