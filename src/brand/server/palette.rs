//! One colour becomes the whole primary family of `style/tokens.css`, light and dark. Hue is kept, lightness moves as far as the pairs
//! that the interface uses need it, and chroma gives way where the screen has no such colour (OKLCH). A pure function.

use std::collections::HashMap;
use std::sync::LazyLock;

use palette::convert::FromColorUnclamped;
use palette::{Oklch, Srgb};

pub type Rgb = [u8; 3];

/// WCAG 2.2: text (1.4.3), and borders, focus rings and marks (1.4.11).
const TEXT: f64 = 4.5;
const MARK: f64 = 3.0;
/// Steps of lightness that are tried on each side.
const STEPS: u32 = 250;
/// Tinted grounds take no more colour than this, whatever the brand: they lie below text.
const MOST_TINT: f64 = 1.8;

/// What is made, in this order: each is held against what is fixed and what was made before it.
const MADE: [&str; 12] = [
    "selected",
    "primary-soft",
    "spk-agent-soft",
    "primary",
    "chart-1",
    "spk-agent",
    "on-primary",
    "primary-hover",
    "primary-ink",
    "link",
    "focus",
    "spk-agent-ink",
];
const TINTS: [&str; 3] = ["selected", "primary-soft", "spk-agent-soft"];
/// The grounds that the interface lays these colours on, beside the tints.
const GROUNDS: [&str; 8] = ["canvas", "surface", "raised", "sunken", "hover", "side", "side-active", "mute-soft"];
/// What stands on a tint, besides what is made.
const INKS: [&str; 12] = [
    "ink",
    "ink-2",
    "ink-3",
    "ok-ink",
    "warn-ink",
    "bad-ink",
    "info-ink",
    "live-ink",
    "mute-ink",
    "accent-ink",
    "side-ink-2",
    "spk-caller-ink",
];
const SIGNS: [&str; 6] = ["control", "ok", "warn", "bad", "info", "live"];

/// A theme's values by token, without the two dashes.
type Tokens = HashMap<&'static str, Rgb>;

/// The values that a brand's style sheet sets.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Palette {
    pub light: Vec<(&'static str, Rgb)>,
    pub dark: Vec<(&'static str, Rgb)>,
}

/// The product's own values, light and dark, read from the style sheet itself.
static SHIPPED: LazyLock<[Tokens; 2]> = LazyLock::new(|| {
    let text = include_str!("../../../style/tokens.css");
    ["/*@light*/", "/*@dark*/"].map(|mark| {
        let block = text.split(mark).nth(1).and_then(|rest| rest.split("/*@end*/").next()).unwrap_or_default();
        block
            .lines()
            .filter_map(|line| {
                let (name, value) = line.trim().strip_prefix("--")?.split_once(':')?;
                Some((name, rgb(value.trim().trim_end_matches(';'))?))
            })
            .collect()
    })
});

/// Reads `#rrggbb`.
pub(crate) fn rgb(text: &str) -> Option<Rgb> {
    let mut bytes = [0; 3];
    hex::decode_to_slice(text.strip_prefix('#')?, &mut bytes).ok()?;
    Some(bytes)
}

/// Writes `#rrggbb`.
pub(crate) fn hex_of(colour: Rgb) -> String {
    format!("#{}", hex::encode(colour))
}

/// The family of one colour.
pub(crate) fn derive(accent: Rgb) -> Palette {
    let [light, dark] = &*SHIPPED;
    let theme = |shipped, is_dark| {
        let mut making = Making { shipped, own: light, is_dark, accent, made: Vec::with_capacity(MADE.len()) };
        for name in MADE {
            let value = making.make(name);
            making.made.push((name, value));
        }
        making.made
    };
    Palette { light: theme(light, false), dark: theme(dark, true) }
}

/// How strongly two colours differ, from 1 to 21 (WCAG 2.2).
pub(crate) fn contrast(one: Rgb, other: Rgb) -> f64 {
    let (one, other) = (luminance(one), luminance(other));
    (one.max(other) + 0.05) / (one.min(other) + 0.05)
}

fn luminance(colour: Rgb) -> f64 {
    let [red, green, blue] = colour.map(|part| {
        let part = f64::from(part) / 255.0;
        if part <= 0.04045 { part / 12.92 } else { ((part + 0.055) / 1.055).powf(2.4) }
    });
    0.2126 * red + 0.7152 * green + 0.0722 * blue
}

/// The ratio that two tokens need between them, if they meet anywhere.
fn needed(one: &str, other: &str) -> Option<f64> {
    let either = |test: fn(&str, &str) -> Option<f64>| test(one, other).or_else(|| test(other, one));
    either(|upper, ground| {
        let is_tint = TINTS.contains(&ground);
        let is_ground = is_tint || GROUNDS.contains(&ground);
        match upper {
            "primary" | "chart-1" | "spk-agent" | "focus" if is_ground => Some(MARK),
            "primary-ink" | "spk-agent-ink" | "link" if is_ground => Some(TEXT),
            "primary-hover" if is_ground && !is_tint => Some(MARK),
            "on-primary" if matches!(ground, "primary" | "primary-hover") => Some(TEXT),
            _ if is_tint && INKS.contains(&upper) => Some(TEXT),
            _ if is_tint && SIGNS.contains(&upper) => Some(MARK),
            _ => None,
        }
    })
}

/// One theme in the making.
struct Making<'a> {
    shipped: &'a Tokens,
    /// The light theme's own values: the brand's colour stands where its `primary` does.
    own: &'a Tokens,
    is_dark: bool,
    accent: Rgb,
    made: Vec<(&'static str, Rgb)>,
}

impl Making<'_> {
    fn make(&self, name: &'static str) -> Rgb {
        let accent = oklch(self.accent);
        let primary = self.value("primary").map(oklch);
        let asked = match name {
            "primary" if !self.is_dark => Some(self.accent),
            // On dark ground a colour has to be as light as the product's own, or lighter.
            "primary" if accent.l >= self.own_shape(name).l => Some(self.accent),
            "chart-1" | "spk-agent" => self.value("primary"),
            _ => None,
        };
        if let Some(asked) = asked.filter(|asked| self.fits(name, *asked)) {
            return asked;
        }
        if name == "on-primary" {
            return self.letters();
        }
        let shape = self.own_shape(name);
        let spruce = self.own.get("primary").copied().map(oklch).unwrap_or(accent);
        let mut strength = if spruce.chroma > 0.0 { accent.chroma / spruce.chroma } else { 1.0 };
        if TINTS.contains(&name) {
            strength = strength.min(MOST_TINT);
        }
        let l = match (name, primary) {
            ("primary", _) if self.is_dark => accent.l.max(shape.l),
            ("primary", _) => accent.l,
            ("primary-hover", Some(primary)) => {
                let step = shape.l - self.own_shape("primary").l;
                let moved = primary.l + step;
                if (0.04..=0.98).contains(&moved) { moved } else { primary.l - 4.0 * step }
            }
            ("chart-1" | "spk-agent", Some(primary)) => primary.l,
            _ => shape.l,
        };
        let last = if name == "primary-hover" { self.value("primary") } else { self.shipped.get(name).copied() };
        let found = self.nearest(name, Oklch::new(l, shape.chroma * strength, accent.hue));
        found.or(last).unwrap_or(self.accent)
    }

    /// What was made already, else what is fixed. None for what is still to be made.
    fn value(&self, name: &str) -> Option<Rgb> {
        if MADE.contains(&name) {
            return self.made.iter().find(|(made, _)| *made == name).map(|(_, value)| *value);
        }
        self.shipped.get(name).copied()
    }

    /// Lightness and chroma of the product's own value.
    fn own_shape(&self, name: &str) -> Oklch<f64> {
        oklch(self.shipped.get(name).copied().unwrap_or(self.accent))
    }

    fn fits(&self, name: &str, value: Rgb) -> bool {
        let others = GROUNDS.iter().chain(&INKS).chain(&SIGNS).chain(&MADE);
        others
            .filter_map(|other| Some((needed(name, other)?, self.value(other)?)))
            .all(|(ratio, other)| contrast(value, other) >= ratio)
    }

    /// The fitting colour whose lightness is next to the one that was asked for.
    fn nearest(&self, name: &str, from: Oklch<f64>) -> Option<Rgb> {
        let away = if self.is_dark { 1.0 } else { -1.0 };
        let each = (0..=STEPS).flat_map(|step| {
            let far = f64::from(step) / f64::from(STEPS);
            [from.l + away * far, from.l - away * far]
        });
        each.filter(|l| (0.0..=1.0).contains(l))
            .map(|l| shown(Oklch::new(l, from.chroma, from.hue)))
            .find(|value| self.fits(name, *value))
    }

    /// What stands on the primary colour, where it and its hover colour can both be read: the theme's habit first.
    fn letters(&self) -> Rgb {
        let accent = oklch(self.accent);
        let hued = shown(Oklch::new(0.22, (accent.chroma * 0.5).min(0.05), accent.hue));
        let order = if self.is_dark { [hued, [0; 3], [255; 3]] } else { [[255; 3], hued, [0; 3]] };
        order.into_iter().find(|letters| self.fits("on-primary", *letters)).unwrap_or([0; 3])
    }
}

fn oklch(colour: Rgb) -> Oklch<f64> {
    let [red, green, blue] = colour;
    Oklch::from_color_unclamped(Srgb::new(red, green, blue).into_format::<f64>())
}

/// The colour as a screen shows it: with as much of its chroma as there is.
fn shown(wanted: Oklch<f64>) -> Rgb {
    let at = |chroma: f64| Srgb::<f64>::from_color_unclamped(Oklch::new(wanted.l, chroma, wanted.hue));
    let is_there =
        |colour: Srgb<f64>| [colour.red, colour.green, colour.blue].iter().all(|part| (-0.001..=1.001).contains(part));
    let mut colour = at(wanted.chroma);
    if !is_there(colour) {
        let (mut low, mut high) = (0.0, wanted.chroma);
        for _ in 0..14 {
            let middle = f64::midpoint(low, high);
            if is_there(at(middle)) { low = middle } else { high = middle }
        }
        colour = at(low);
    }
    [colour.red, colour.green, colour.blue].map(|part| (part.clamp(0.0, 1.0) * 255.0).round() as u8)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Every pair of a theme that does not hold.
    fn broken(shipped: &Tokens, made: &[(&'static str, Rgb)]) -> Vec<String> {
        let value = |name: &str| {
            made.iter().find(|(own, _)| *own == name).map(|(_, own)| *own).or_else(|| shipped.get(name).copied())
        };
        let all = || GROUNDS.iter().chain(&INKS).chain(&SIGNS).chain(&MADE);
        let mut wrong = Vec::new();
        for one in MADE {
            for other in all() {
                let Some(ratio) = needed(one, other) else { continue };
                let (a, b) = (value(one).expect(one), value(other).expect(other));
                if contrast(a, b) < ratio {
                    wrong.push(format!("{one} {} on {other} {}: {:.2}", hex_of(a), hex_of(b), contrast(a, b)));
                }
            }
        }
        wrong
    }

    #[test]
    fn the_products_own_colours_hold_the_pairs() {
        for shipped in SHIPPED.iter() {
            assert!(shipped.len() > 50, "the tokens are read: {}", shipped.len());
            assert_eq!(broken(shipped, &[]), Vec::<String>::new());
        }
    }

    #[test]
    fn every_colour_gives_a_family_that_can_be_read() {
        let mut asked: Vec<Rgb> = Vec::new();
        let parts = [0, 51, 119, 187, 255];
        for red in parts {
            for green in parts {
                asked.extend(parts.map(|blue| [red, green, blue]));
            }
        }
        // Greys, the edges of the screen's colours, and such as brands really have.
        asked.extend([8, 96, 118, 119, 120, 128, 150, 200, 250].map(|grey| [grey; 3]));
        asked.extend(
            ["#ffd400", "#e4002b", "#00a3e0", "#7a1fa2", "#ff6f00", "#00ff00", "#fefefe", "#0a0a23", "#767676"]
                .map(|text| rgb(text).expect("a colour")),
        );
        let [light, dark] = &*SHIPPED;
        for accent in asked {
            let palette = derive(accent);
            let wrong = [broken(light, &palette.light), broken(dark, &palette.dark)].concat();
            assert!(wrong.is_empty(), "{}: {wrong:#?}", hex_of(accent));
        }
    }

    fn of(theme: &[(&'static str, Rgb)], name: &str) -> Rgb {
        theme.iter().find(|(own, _)| *own == name).expect("a token").1
    }

    #[test]
    fn a_colour_that_can_be_read_stays_as_it_is_and_others_keep_their_hue() {
        for good in ["#0f6457", "#1d4ed8", "#8a1538", "#000000"] {
            let accent = rgb(good).expect("a colour");
            assert_eq!(of(&derive(accent).light, "primary"), accent, "{good}");
        }
        for (accent, is_moved_in_dark) in
            [("#ffd400", false), ("#7fdbff", false), ("#1d4ed8", true), ("#ffffff", false)]
        {
            let accent = rgb(accent).expect("a colour");
            let palette = derive(accent);
            let dark = of(&palette.dark, "primary");
            assert_eq!(dark != accent, is_moved_in_dark, "{}: {}", hex_of(accent), hex_of(dark));
            for moved in [of(&palette.light, "primary"), dark] {
                let (from, to) = (oklch(accent), oklch(moved));
                let turn = (from.hue - to.hue).into_degrees().abs();
                assert!(from.chroma < 0.02 || turn < 8.0, "{} became {}", hex_of(accent), hex_of(moved));
            }
        }
        let yellow = derive([0xff, 0xd4, 0x00]);
        assert_ne!(of(&yellow.light, "primary"), [0xff, 0xd4, 0x00], "yellow on white cannot be seen");
    }

    #[test]
    fn the_products_own_colour_gives_nearly_its_own_family() {
        let palette = derive([0x0f, 0x64, 0x57]);
        let [light, dark] = &*SHIPPED;
        for (shipped, made) in [(light, &palette.light), (dark, &palette.dark)] {
            for (name, value) in made {
                let (own, now) = (oklch(shipped[name]), oklch(*value));
                assert!((own.l - now.l).abs() < 0.05, "{name}: {} became {}", hex_of(shipped[name]), hex_of(*value));
            }
        }
    }
}
