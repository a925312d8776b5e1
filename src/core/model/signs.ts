// The signs and digits of short codes (core/nearby/short-code.ts; FORMATS.md, nearby pools).

/**
 * The 64 signs of the Matrix specification (client-server API, "SAS method: emoji"), in its order: chosen so
 * that people tell them apart and can say them.
 */
export const SIGNS: readonly string[] = (
  '🐶 🐱 🦁 🐎 🦄 🐷 🐘 🐰 🐼 🐓 🐧 🐢 🐟 🐙 🦋 🌷 🌳 🌵 🍄 🌏 🌙 ☁️ 🔥 🍌 🍎 🍓 🌽 🍕 🎂 ❤️ 😀 🤖 ' +
  '🎩 👓 🔧 🎅 👍 ☂️ ⌛ ⏰ 🎁 💡 📕 ✏️ 📎 ✂️ 🔒 🔑 🔨 ☎️ 🏁 🚂 🚲 ✈️ 🚀 🏆 ⚽ 🎸 🎺 🔔 ⚓ 🎧 📁 📌'
).split(' ');
/** In a code. */
export const SIGN_COUNT = 4;
export const DIGIT_COUNT = 6;
