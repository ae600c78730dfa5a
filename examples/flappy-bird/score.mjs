// Scores a Flappy Bird program by the eight demands of the prompt. It reads the program and does not
// run it, so it finds what the text shows: a program may meet a demand in a way it does not know, or
// only seem to meet it.

const any = (texts, pattern) => texts.some((text) => pattern.test(text));

const isGray = ([r, g, b]) => Math.max(r, g, b) - Math.min(r, g, b) <= 24;
const SHADES = {
  lightBlue: ([r, g, b]) => b >= 200 && b > r + 15 && g >= 150 && r >= 100,
  yellow: ([r, g, b]) => r >= 180 && g >= 150 && b <= 130,
  darkBrown: ([r, g, b]) => r > g && g >= b && r >= 40 && r <= 150 && r - b >= 20,
  darkGreen: ([r, g, b]) => g > r && g > b && g <= 160,
  lightBrown: ([r, g, b]) => r > g && g > b && r >= 150 && b >= 20 && r - b >= 30,
  darkGray: (color) => isGray(color) && Math.max(...color) >= 25 && Math.max(...color) <= 140,
};

const WORDS = {
  lightBlue: /^(?:light|sky|powder|pale|alice)_?\s?(?:sky_?)?(?:blue|turquoise)/i,
  yellow: /^(?:yellow|gold)/i,
  darkBrown: /brown|sienna/i,
  darkGreen: /^(?:dark_?\s?(?:olive_?)?)?green|forest/i,
  lightBrown: /light_?\s?brown|tan$|peru|burlywood|sandy/i,
  darkGray: /dark_?\s?(?:slate_?)?gr[ae]y|dim_?gr[ae]y/i,
};

/** What the checks ask about a program. */
function view(code, facts) {
  const { calls, assignments, names, texts, colours } = facts;
  const randomCalls = calls.filter(({ name }) =>
    /(?:^|\.)(?:choice|choices|randint|randrange|uniform|sample|shuffle)$/.test(name),
  );
  const randomTexts = [
    ...randomCalls.map(({ text }) => text),
    ...assignments
      .filter(({ value }) => /\b(?:choice|choices|randint|randrange|uniform|sample)\(/.test(value))
      .map(({ target, value }) => `${target} = ${value}`),
  ];
  return {
    code,
    facts,
    /** Something whose text matches is chosen at random. */
    isRandom: (pattern) => any(randomTexts, pattern),
    /** A colour is in the program, as numbers or as a word. */
    hasShade: (shade) =>
      colours.some(SHADES[shade]) || any(texts, WORDS[shade]) || any(names, WORDS[shade]),
    uses: (pattern) => any(names, pattern),
    draws: (shape) => calls.some(({ name }) => new RegExp(`draw\\.${shape}$`).test(name)),
    renders: (pattern) =>
      calls.some(
        ({ name, text }) =>
          /\.render$|draw_text|show_text|display_text/.test(name) && pattern.test(text),
      ),
  };
}

/** The demands: what must be found, and what to say if it is not. */
const DEMANDS = [
  {
    demand: "uses pygame",
    checks: [[({ facts }) => any(facts.imports, /^pygame\b/), "pygame is not imported"]],
  },
  {
    demand: "the background is a random light shade, light blue first",
    checks: [
      [({ hasShade }) => hasShade("lightBlue"), "there is no light blue"],
      [
        ({ isRandom }) =>
          isRandom(/back|bg|sky|light/i) || isRandom(/randint\((?:1[3-9]\d|2\d\d), 2\d\d\)/),
        "the background is not chosen at random",
      ],
    ],
  },
  {
    demand: "SPACE accelerates the bird",
    checks: [
      [
        ({ facts }) =>
          facts.conditions.some(
            ({ test, body }) =>
              /K_SPACE/.test(test + body) &&
              /\b\w*(?:vel|speed|accel|mov|dy|vy|jump|flap|lift|momentum)\w*\b\s*(?:[-+*]?=|\()/i.test(
                body,
              ),
          ),
        "no condition on K_SPACE changes a speed",
      ],
    ],
  },
  {
    demand: "the bird is a random square, circle or triangle in a random dark colour",
    checks: [
      [
        ({ facts }) =>
          ["square", "circle", "triangle"].every((shape) =>
            any(facts.texts, new RegExp(shape, "i")),
          ),
        "the three shapes are not named",
      ],
      [({ isRandom }) => isRandom(/shape|square/i), "the shape is not chosen at random"],
      [
        ({ draws }) => draws("rect") && draws("circle") && draws("polygon"),
        "rect, circle and polygon are not all drawn",
      ],
      [
        ({ isRandom }) => isRandom(/bird|dark|colou?r/i),
        "the bird's colour is not chosen at random",
      ],
    ],
  },
  {
    demand: "land at the bottom, dark brown or yellow at random",
    checks: [
      [({ uses }) => uses(/land|ground|floor/i), "there is no land"],
      [({ hasShade }) => hasShade("yellow"), "there is no yellow"],
      [({ hasShade }) => hasShade("darkBrown"), "there is no dark brown"],
      [
        ({ isRandom }) => isRandom(/land|ground|floor/i),
        "the land's colour is not chosen at random",
      ],
    ],
  },
  {
    demand: "a score at the top right that counts passed pipes",
    checks: [
      [
        ({ facts }) =>
          facts.additions.some(
            ({ target, text }) => /score|points/i.test(target) && /\+=/.test(text),
          ) ||
          facts.assignments.some(
            ({ target, value }) => /score|points/i.test(target) && /\+ 1$/.test(value),
          ),
        "no score is increased",
      ],
      [({ renders }) => renders(/score|points/i), "no score is drawn"],
      [
        ({ code }) => /topright|\b\w*width\w*\s*-/i.test(code),
        "nothing is placed from the right edge",
      ],
    ],
  },
  {
    demand: "randomly spaced pipes, dark green, light brown or dark gray at random",
    checks: [
      [({ uses }) => uses(/pipe/i), "there are no pipes"],
      [
        ({ isRandom }) => isRandom(/(?:randint|randrange|uniform)\(/),
        "no position is chosen at random",
      ],
      [({ hasShade }) => hasShade("darkGreen"), "there is no dark green"],
      [({ hasShade }) => hasShade("lightBrown"), "there is no light brown"],
      [({ hasShade }) => hasShade("darkGray"), "there is no dark gray"],
      [({ isRandom }) => isRandom(/pipe|green/i), "the pipes' colour is not chosen at random"],
    ],
  },
  {
    demand: "the best score after losing; q or Esc quits, SPACE restarts",
    checks: [
      [({ uses }) => uses(/best|high/i), "no best score is kept"],
      [({ renders }) => renders(/best|high/i), "no best score is drawn"],
      [({ uses }) => uses(/\bK_q$/), "q is not read"],
      [({ uses }) => uses(/\bK_ESCAPE$/), "Esc is not read"],
      [
        ({ facts }) =>
          facts.conditions.some(
            ({ test, body }) =>
              /K_SPACE/.test(test + body) &&
              /reset|restart|main\(|new_game|start|over|active|alive|playing|Bird\(/i.test(body),
          ),
        "SPACE does not restart the game",
      ],
    ],
  },
];

/**
 * Scores a program.
 *
 * @param facts - What facts.py reports of it.
 * @returns `points`, and each demand with `isMet` and the first reason why not.
 */
export function score(code, facts) {
  const program = view(code, facts);
  const demands = DEMANDS.map(({ demand, checks }, i) => {
    const failed = checks.find(([check]) => !check(program));
    return { number: i + 1, demand, isMet: failed === undefined, why: failed?.[1] };
  });
  return { points: demands.filter(({ isMet }) => isMet).length, demands };
}
