// Rules for the page's scripts. What a name means and whether it is there, tsc checks (tsconfig.json).

import js from "@eslint/js";

export default [
  { ignores: ["node_modules/", ".venv/", "build/", "runs/", "tmp/"] },
  js.configs.recommended,
  { rules: { "no-undef": "off" } },
  {
    files: ["studio/**/*.js"],
    rules: {
      "no-restricted-syntax": [
        "error",
        {
          selector: ":matches(Program, ExportNamedDeclaration) > VariableDeclaration[declarations.length > 1]",
          message: "At the top of a module each name has a declaration of its own: studio/page/scripts.py reads it.",
        },
        {
          selector: ":matches(Program, ExportNamedDeclaration) > VariableDeclaration > VariableDeclarator > :matches(ObjectPattern, ArrayPattern)",
          message: "At the top of a module names are declared plainly: studio/page/scripts.py reads them.",
        },
      ],
      eqeqeq: "error",
      "no-shadow": "error",
      "no-var": "error",
      "prefer-const": "error",
    },
  },
];
