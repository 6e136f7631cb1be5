// The words that invented container names are made of.
#pragma once

#include <array>
#include <string_view>

namespace swarm {

inline constexpr std::array<std::string_view, 188> kManners = {{
    "able",     "active",   "agile",    "airy",     "alert",     "amber",    "ample",    "apt",
    "ardent",   "artful",   "avid",     "awake",    "balmy",     "bold",     "bouncy",   "brainy",
    "brave",    "breezy",   "bright",   "brisk",    "bubbly",    "busy",     "calm",     "candid",
    "canny",    "careful",  "caring",   "chatty",   "cheery",    "choosy",   "civil",    "clear",
    "clever",   "comfy",    "cool",     "cosmic",   "courtly",   "cozy",     "crafty",   "crisp",
    "curious",  "dapper",   "daring",   "dashing",  "deft",      "diligent", "dreamy",   "droll",
    "eager",    "earnest",  "earthy",   "easy",     "elated",    "elegant",  "eloquent", "epic",
    "fair",     "faithful", "fancy",    "fearless", "festive",   "fiery",    "fine",     "fleet",
    "fluent",   "fond",     "frank",    "free",     "fresh",     "friendly", "frosty",   "frugal",
    "funny",    "gallant",  "genial",   "gentle",   "genuine",   "giddy",    "gifted",   "glad",
    "gleeful",  "golden",   "graceful", "grand",    "grateful",  "grave",    "great",    "gritty",
    "handy",    "happy",    "hardy",    "hasty",    "hearty",    "helpful",  "honest",   "hopeful",
    "humble",   "hungry",   "ideal",    "jaunty",   "jolly",     "jovial",   "joyful",   "jubilant",
    "keen",     "kind",     "lively",   "loyal",    "lucid",     "lucky",    "lush",     "mellow",
    "merry",    "mighty",   "mindful",  "modest",   "musing",    "mystic",   "neat",     "nifty",
    "nimble",   "noble",    "patient",  "peppy",    "placid",    "playful",  "plucky",   "poised",
    "polite",   "proud",    "prudent",  "quaint",   "quick",     "quiet",    "quirky",   "radiant",
    "ready",    "relaxed",  "robust",   "rosy",     "rustic",    "sage",     "savvy",    "sedate",
    "serene",   "sharp",    "shiny",    "silent",   "sincere",   "sleek",    "smart",    "snappy",
    "sober",    "sociable", "solid",    "spry",     "stalwart",  "steady",   "sterling", "stoic",
    "sturdy",   "suave",    "subtle",   "sunny",    "swift",     "tactful",  "tender",   "thankful",
    "thrifty",  "tidy",     "tireless", "tranquil", "trusty",    "upbeat",   "valiant",  "vibrant",
    "vigilant", "vivid",    "warm",     "wary",     "whimsical", "wise",     "wistful",  "witty",
    "worthy",   "zany",     "zealous",  "zesty",
}};

// Surnames and names of people of science and engineering.
inline constexpr std::array<std::string_view, 237> kPeople = {{
    "abel",         "agnesi",       "airy",       "alhazen",   "ampere",      "anning",
    "apgar",        "archimedes",   "ardern",     "aristotle", "aryabhata",   "babbage",
    "backus",       "banach",       "banneker",   "banting",   "bardeen",     "bartik",
    "bassi",        "becquerel",    "bell",       "berners",   "bernoulli",   "bessel",
    "bhaskara",     "blackburn",    "blackwell",  "bohr",      "boole",       "borg",
    "bose",         "boyd",         "boyle",      "brahe",     "brahmagupta", "brattain",
    "brown",        "buck",         "burnell",    "cannon",    "cantor",      "carson",
    "carver",       "cauchy",       "cavendish",  "cerf",      "chandra",     "chatelet",
    "chebyshev",    "clarke",       "cohen",      "colden",    "cori",        "cray",
    "curie",        "cuvier",       "dalton",     "darwin",    "daubechies",  "davinci",
    "davy",         "descartes",    "dijkstra",   "dirac",     "dubinsky",    "easley",
    "edison",       "ehrlich",      "einstein",   "elion",     "ellis",       "engelbart",
    "erdos",        "escher",       "euclid",     "euler",     "faraday",     "fermat",
    "fermi",        "feynman",      "fibonacci",  "fleming",   "fourier",     "franklin",
    "frege",        "fresnel",      "galileo",    "galois",    "gates",       "gauss",
    "germain",      "gibbs",        "godel",      "goldberg",  "goldstine",   "goldwasser",
    "golick",       "goodall",      "gould",      "haber",     "haibt",       "hamilton",
    "hawking",      "heaviside",    "heisenberg", "hermann",   "herschel",    "hertz",
    "heyrovsky",    "hilbert",      "hodgkin",    "hoover",    "hopper",      "hubble",
    "hugle",        "humboldt",     "huygens",    "hypatia",   "jackson",     "jacobi",
    "jang",         "jemison",      "jennings",   "jepsen",    "joliot",      "jones",
    "joule",        "kalam",        "kapitsa",    "kare",      "keller",      "kelvin",
    "kepler",       "khayyam",      "khorana",    "kilby",     "kirch",       "knuth",
    "kolmogorov",   "kovalevskaya", "lagrange",   "lalande",   "lamarr",      "lamport",
    "landau",       "laplace",      "lavoisier",  "leakey",    "leavitt",     "legendre",
    "leibniz",      "lewin",        "lichterman", "linnaeus",  "liskov",      "lorentz",
    "lovelace",     "lumiere",      "mahavira",   "maxwell",   "mayer",       "mccarthy",
    "mcclintock",   "mclean",       "mcnulty",    "meitner",   "mendel",      "mendeleev",
    "meninsky",     "minkowski",    "mirzakhani", "moore",     "morse",       "murdock",
    "napier",       "nash",         "neumann",    "newton",    "nightingale", "nobel",
    "noether",      "noyce",        "ohm",        "pare",      "pascal",      "pasteur",
    "pauling",      "payne",        "perlman",    "pike",      "planck",      "poincare",
    "poitras",      "ptolemy",      "raman",      "ramanujan", "ride",        "riemann",
    "ritchie",      "robinson",     "roentgen",   "rosalind",  "rubin",       "rutherford",
    "saha",         "sammet",       "shannon",    "shaw",      "shockley",    "sinoussi",
    "snyder",       "spence",       "stallman",   "stokes",    "stonebraker", "swanson",
    "swartz",       "swirles",      "tesla",      "thompson",  "torvalds",    "turing",
    "varahamihira", "villani",      "volhard",    "volta",     "wescoff",     "wiles",
    "williams",     "wilson",       "wing",       "wozniak",   "wright",      "yalow",
    "yonath",       "zeno",         "zermelo",
}};

}  // namespace swarm
