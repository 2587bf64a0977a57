// How our scripts in pages are checked; `embed-source.test.js` runs it.

import js from "@eslint/js";
import globals from "globals";

export default [
  {
    ...js.configs.recommended,
    languageOptions: { ecmaVersion: 2022, sourceType: "script", globals: globals.browser },
    linterOptions: { reportUnusedDisableDirectives: "error" },
    rules: {
      ...js.configs.recommended.rules,
      "no-unused-expressions": ["error", { allowTernary: true }],
      "no-var": "error", "prefer-const": "error", eqeqeq: "error", "no-implicit-globals": "error", "no-eval": "error",
    },
  },
];
