// Runs a flow author's script with the variables of the conversation as its globals. The Python around it calls
// `read` once, then `probe` (in a context of its own) or `start` and, when no job is left, `finish`.
(function () {
    "use strict";

    const evaluate = eval; // called by another name it evaluates in the global scope
    const stringify = JSON.stringify;
    const known = {}; // the variables as they were, by name: JSON
    const scopes = { script: (code) => code, function: (code) => `(async function () {${code}\n})` };
    let code = "";
    let outcome = null;

    delete globalThis.performance; // not of the language; a variable may well bear the name
    const silent = () => undefined;
    hide("console", { log: silent, info: silent, warn: silent, error: silent, debug: silent });
    const variables = hide("variables", {});
    const language = new Set(Object.getOwnPropertyNames(globalThis));

    function hide(name, value) {
        Object.defineProperty(globalThis, name, { value, writable: true, configurable: true, enumerable: false });
        return value;
    }

    function define(object, name, value) {
        Object.defineProperty(object, name, { value, writable: true, configurable: true, enumerable: true });
    }

    function read(text) {
        const input = JSON.parse(text);
        code = input.code;
        for (const name of Object.keys(input.variables)) {
            define(known, name, stringify(input.variables[name]));
            define(variables, name, input.variables[name]);
            if (!language.has(name)) define(globalThis, name, input.variables[name]);
        }
    }

    // A script may say `return`, or have its last expression for its value: what it parses as. Throwing first, it is
    // parsed whole and never begun.
    function probe() {
        let problem;
        for (const scope of ["script", "function"]) {
            const mark = {};
            hide("mark", mark);
            try {
                evaluate(`throw mark;${scopes[scope](code)}`);
            } catch (error) {
                if (error === mark) return scope;
                problem = describe(error);
            }
        }
        return stringify({ error: problem });
    }

    function start(scope) {
        try {
            const given = evaluate(scopes[scope](code));
            Promise.resolve(scope === "function" ? given() : given).then(
                (value) => { outcome = { value, returned: scope === "function" }; },
                (error) => { outcome = { error: describe(error) }; },
            );
        } catch (error) {
            outcome = { error: describe(error) };
        }
        return "";
    }

    function finish() {
        if (outcome === null) return stringify({ error: "The script awaits something that never happens." });
        if ("error" in outcome) return stringify(outcome);
        try {
            const value = json("The script's value", outcome.value) ?? "null";
            // joined: the engine's binding does not know the strings that the language's own concatenation makes
            return ['{"value":', value, ',"assigned":{', assigned(), "}}"].join("");
        } catch (error) {
            return stringify({ error: error.message });
        }
    }

    function assigned() {
        const changes = new Map();
        for (const scope of [variables, globalThis]) {
            for (const name of Object.keys(scope)) {
                if (scope === globalThis && language.has(name)) continue;
                const isNew = !Object.hasOwn(known, name);
                const now = json(name, scope[name]);
                if (isNew ? now !== undefined : now !== known[name]) changes.set(name, now ?? "null");
            }
        }
        if (outcome.returned && typeof outcome.value === "object" && !Array.isArray(outcome.value)) {
            for (const [name, item] of Object.entries(outcome.value ?? {})) changes.set(name, json(name, item) ?? "null");
        }
        return [...changes].map(([name, now]) => `${stringify(name)}:${now}`).join();
    }

    function json(name, value) {
        try {
            return stringify(value);
        } catch (error) {
            throw new Error(`${name} cannot be kept: ${describe(error, false)}`);
        }
    }

    function describe(error, located = true) {
        if (!(error instanceof Error)) return `The script threw ${stringify(error)}.`.slice(0, 500);
        const [, line] = (located && /<input>:([0-9]+)/.exec(error.stack)) || [];
        const last = code.split("\n").length; // an unclosed brace is missed after the last line
        return String(error).slice(0, 500) + (line ? ` (line ${Math.min(line, last)})` : "");
    }

    const steps = { read, probe, start, finish };
    return (step, argument) => steps[step](argument);
})();
