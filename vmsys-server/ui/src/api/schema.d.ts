/** Written by `npm run types` from tests/golden/openapi.json. */
export interface paths {
    "/api/v1/catalog/libraries": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Lists the libraries that templates can be given
         * @description Those of the catalogue, in the cache or not, and whatever else the cache holds.
         */
        get: operations["listAvailableLibraries"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/catalog/modules": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Lists the native modules that templates can be given */
        get: operations["listAvailableModules"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/executions": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Lists the executions of a session, newest first, without their events */
        get: operations["listExecutions"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/executions/{execution_id}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Reads an execution with its events, also while it runs */
        get: operations["getExecution"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/executions/{execution_id}/cancel": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Ends a running execution
         * @description It is answered as `cancelled`. The session lives on, with the state that the code had made.
         */
        post: operations["cancelExecution"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/executions/{execution_id}/events": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Lists the events of an execution, also while it runs */
        get: operations["listEvents"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/executions/{execution_id}/events/stream": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Follows an execution: its events so far, then those to come
         * @description Each message has an event's type as `event`, its `seq` as `id` and the `Event` as `data`. The last is `event: end`, with the `Execution`. A comment every 15 seconds keeps the line open.
         */
        get: operations["streamExecution"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/executions/repl": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Runs a snippet in a session
         * @description Code that throws, is cancelled or runs out of time is no error of the request: it answers 201, with what came of it, once that and all its events are stored. A client that goes away stops nothing.
         */
        post: operations["runRepl"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/executions/run-file": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Runs a file of a session's worktree
         * @description Code that throws, is cancelled or runs out of time is no error of the request: it answers 201, with what came of it, once that and all its events are stored. A client that goes away stops nothing.
         */
        post: operations["runFile"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/health": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Tells that the daemon is there
         * @description It answers within a second whatever sessions are doing, and needs no token. As with every answer, the header `Server` names the version and the commit: `vm-system/1.2.3 (0123456789ab)`.
         */
        get: operations["getHealth"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/openapi.json": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Reads this document: the API as OpenAPI 3.1, made from the daemon's own code */
        get: operations["getOpenApi"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/runtime/stats": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Tells what the daemon has done since it was started */
        get: operations["getRuntimeStats"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/runtime/summary": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Tells which sessions are alive in memory, whatever the database says */
        get: operations["getRuntimeSummary"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/sessions": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Lists sessions, newest first */
        get: operations["listSessions"];
        put?: never;
        /**
         * Creates a session, and waits until its startup files have run
         * @description It is answered as `ready`. When a startup file or library fails, it is kept as `crashed`, with `last_error`, and holds no runtime.
         */
        post: operations["createSession"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/sessions/{session_id}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Reads a session, alive or not */
        get: operations["getSession"];
        put?: never;
        post?: never;
        /**
         * Closes a session; its history stays
         * @description The same as `POST` to its `close`.
         */
        delete: operations["deleteSession"];
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/sessions/{session_id}/check": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Tells whether an input can be run as it is, or more lines could make it valid
         * @description Only a parser looks at it, so that the session may be busy.
         */
        post: operations["checkInput"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/sessions/{session_id}/close": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Closes a session; its history stays
         * @description A running execution is cancelled first. To close what is closed is fine.
         */
        post: operations["closeSession"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/sessions/{session_id}/completions": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Tells how a text may go on at a cursor
         * @description Global names are completed, words of the language, and properties of values that can be reached by names alone. No code runs for it: what only a call or a getter would tell is not told.
         */
        post: operations["completeInput"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/sessions/{session_id}/events/stream": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Follows a session: the events of its executions, and its status
         * @description Each message has an event's type as `event`, a `SessionCursor` as `id` and the `Event` as `data`; `event: session`, with the `Session`, says that its status has changed. The stream ends with the session. A comment every 15 seconds keeps the line open.
         */
        get: operations["streamSession"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/sessions/{session_id}/files": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Tells what stands at a path of a session's worktree: a directory's entries, or a file's text
         * @description No code runs, and the session need not be alive.
         */
        get: operations["lookAtFiles"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/sessions/{session_id}/globals": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Lists what a session's code has declared or set, with previews
         * @description No code runs for it: getters are not called. It is no execution, and not recorded.
         */
        get: operations["listGlobals"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/sessions/{session_id}/history": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Lists the snippets that were run in a session, newest first
         * @description Also of a session that has ended. Long inputs may make a page shorter than `limit`.
         */
        get: operations["listHistory"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/templates": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Lists templates, newest first */
        get: operations["listTemplates"];
        put?: never;
        /**
         * Creates a template
         * @description What is left out of the settings stays at its default.
         */
        post: operations["createTemplate"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/templates/{template_id}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Reads a template with everything that belongs to it */
        get: operations["getTemplate"];
        put?: never;
        post?: never;
        /**
         * Deletes a template
         * @description Its configuration goes; its sessions and their history stay.
         */
        delete: operations["deleteTemplate"];
        options?: never;
        head?: never;
        /**
         * Changes a template's name, settings, or whether it takes new sessions
         * @description What is given replaces, what is left out stays, and the settings are checked as a whole. Sessions that exist keep what they were created with.
         */
        patch: operations["updateTemplate"];
        trace?: never;
    };
    "/api/v1/templates/{template_id}/capabilities": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Lists a template's capabilities, oldest first */
        get: operations["listCapabilities"];
        put?: never;
        /**
         * Gives a template a capability
         * @description It is for sessions that are created from then on. The configuration is checked, enabled or not.
         */
        post: operations["addCapability"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/templates/{template_id}/capabilities/{capability_id}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        post?: never;
        /**
         * Takes a capability from a template
         * @description That it has none of this id is fine.
         */
        delete: operations["removeCapability"];
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/templates/{template_id}/libraries": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Lists the libraries that a template was given, in the order in which they are loaded */
        get: operations["listLibraries"];
        put?: never;
        /**
         * Gives a template a library, by its name or by name and version
         * @description That it has it already is fine. One of the catalogue need not be in the cache yet.
         */
        post: operations["addLibrary"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/templates/{template_id}/libraries/{name}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        post?: never;
        /**
         * Takes a library from a template
         * @description That it has none of this name is fine.
         */
        delete: operations["removeLibrary"];
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/templates/{template_id}/modules": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Lists the native modules that a template was given by name
         * @description Capabilities may add others, or take these away.
         */
        get: operations["listModules"];
        put?: never;
        /**
         * Gives a template a native module
         * @description That it has it already is fine. Sessions that exist keep what they were created with.
         */
        post: operations["addModule"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/templates/{template_id}/modules/{name}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        post?: never;
        /**
         * Takes a native module from a template
         * @description That it has none of this name is fine.
         */
        delete: operations["removeModule"];
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/templates/{template_id}/startup-files": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Lists a template's startup files in the order in which they run */
        get: operations["listStartupFiles"];
        put?: never;
        /**
         * Adds a file that every new session of a template runs before it is ready
         * @description The file need not exist yet: it is looked up in each session's own worktree.
         */
        post: operations["addStartupFile"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/templates/{template_id}/types": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Declares in TypeScript what scripts of a template find
         * @description The text of a `.d.ts` file for editors, compilers and language models: the native modules that new sessions are granted, globals, `fetch`, and variables of `process.env`. What every session has is not in it: the language, the web's interfaces, and the modules of Node's that need no grant.
         */
        get: operations["getTemplateTypes"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/metrics": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Tells what the daemon has done since it was started, to Prometheus */
        get: operations["getMetrics"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
}
export type webhooks = Record<string, never>;
export interface components {
    schemas: {
        /** @description A capability to be added. */
        AddCapability: {
            /**
             * @description Its configuration, at most 256 KiB of JSON. Its keys depend on the kind: `module`, those of the module; `global`, `value`, any JSON; `fs`, `read` and `write`, lists of paths; `net`, `hosts`, `max_bytes`, `timeout_ms` and `allow_private`; `env`, `value`, a text, or `from_host`. Any other key is refused.
             * @default {}
             * @example {
             *       "read": [
             *         "docs"
             *       ],
             *       "write": []
             *     }
             */
            config?: {
                [key: string]: unknown;
            };
            /**
             * @description Whether it grants. One that does not takes away.
             * @default false
             */
            enabled?: boolean;
            /** @example fs */
            kind: components["schemas"]["CapabilityKind"];
            /**
             * @description What it names: a module, a variable or a global; of the kinds `fs` and `net`, a label of yours with 1 to 200 characters.
             * @example docs
             */
            name: string;
        };
        /** @description A library to be given. */
        AddLibrary: {
            /**
             * @description Its name, `lodash`, which is the newest that there is; or its name and version, `lodash-4.17.21`.
             * @example lodash
             */
            name: string;
        };
        /** @description A native module to be given. */
        AddModule: {
            /**
             * @description Its name in the catalogue.
             * @example fs
             */
            name: string;
        };
        /** @description A file to be run at the start of sessions. */
        AddStartupFile: {
            /** @default eval */
            mode?: components["schemas"]["StartupMode"];
            /**
             * @description Where it stands in the order; equal ones run by age.
             * @default 0
             */
            order_index?: number;
            /**
             * @description The path, relative to the session's worktree.
             * @example lib/prelude.js
             */
            path: string;
        };
        /** @description A library that templates can be given. */
        AvailableLibrary: {
            /** @description Whether its file is in the cache, so that sessions can load it. */
            cached: boolean;
            /** @description What it is for. */
            description: string;
            /** @description The global that it sets. Unknown for a file that somebody put into the cache by hand. */
            global: string | null;
            /** @description Name and version: `lodash-4.17.21`. */
            id: string;
            /** @description The name. */
            name: string;
            /** @description The version. */
            version: string;
        };
        /** @description A native module that templates can be given. */
        AvailableModule: {
            /** @description What it is for. */
            description: string;
            /** @description The names of its functions. */
            functions: string[];
            /** @description The name once more. */
            id: string;
            /** @description What kind of module it is. */
            kind: components["schemas"]["ModuleKind"];
            /** @description What scripts load it by. */
            name: string;
        };
        /** @description A capability of a template: a grant, or what takes one away. */
        Capability: {
            /** @description Its configuration; which keys there are depends on the kind. */
            config: {
                [key: string]: unknown;
            };
            /** @description Whether it grants. One that does not takes away. */
            enabled: boolean;
            /** @description The id. */
            id: components["schemas"]["CapabilityId"];
            /** @description What it is about. */
            kind: components["schemas"]["CapabilityKind"];
            /** @description What it names: a module, a variable or a global; of the other kinds, a label of the caller's. */
            name: string;
            /** @description The template that it belongs to. */
            template_id: components["schemas"]["TemplateId"];
            /** @description The template once more, under its old name. */
            vm_id: components["schemas"]["TemplateId"];
        };
        /**
         * Format: uuid
         * @description Names a capability of a template.
         *
         *     A version 7 UUID: ids sort by the time at which they were made.
         */
        CapabilityId: string;
        /** @description What a capability is about. */
        CapabilityKind: "module" | "global" | "fs" | "net" | "env";
        /** @description An input to be checked. */
        CheckInput: {
            /**
             * @description The input.
             * @example function twice(n) {
             */
            source: string;
        };
        /** @description A text with a cursor in it. */
        CompleteInput: {
            /** @description Where the cursor stands, in UTF-16 units: at the end unless given. */
            cursor?: number;
            /**
             * @description The text.
             * @example console.lo
             */
            source: string;
        };
        /** @description One way to go on. */
        Completion: {
            /** @description The type of its value, or `accessor`. */
            detail?: string;
            /** @description What it is. */
            kind: components["schemas"]["CompletionKind"];
            /** @description The text. One that begins with ``, for a name that is no identifier, also takes the place of the dot before it. */
            label: string;
        };
        /** @description What a `Completion` is. */
        CompletionKind: "property" | "method" | "global" | "keyword";
        /** @description How the text before a cursor may go on. */
        Completions: {
            /** @description Where the part begins that an item takes the place of, in UTF-16 units. */
            from: number;
            /** @description What can stand there: at most 200. Own names come before inherited ones. */
            items: components["schemas"]["Completion"][];
            /** @description Where it ends: the cursor. */
            to: number;
        };
        /**
         * @description The level of a console event.
         * @enum {string}
         */
        ConsoleLevel: "log" | "info" | "warn" | "error" | "debug";
        /** @description A session to be created. */
        CreateSession: {
            /**
             * @description Your name for the state of the worktree: 1 to 200 characters, none of them a control character.
             * @example HEAD
             */
            base_commit_oid: string;
            /** @description The template to make it from. */
            template_id: components["schemas"]["TemplateId"];
            /**
             * @description Your name for the workspace: 1 to 200 characters, none of them a control character.
             * @example docs
             */
            workspace_id: string;
            /**
             * @description An absolute path of a directory that exists, whose files the session's code may run.
             * @example /srv/docs
             */
            worktree_path: string;
        };
        /** @description A template to be created: a name, and whatever differs from the defaults. */
        CreateTemplate: {
            /** @default quickjs */
            engine?: components["schemas"]["EngineName"];
            /**
             * @description What one execution may use.
             * @default {
             *       "cpu_ms": 5000,
             *       "wall_ms": 30000,
             *       "mem_mb": 128,
             *       "max_events": 1000,
             *       "max_output_kb": 512
             *     }
             */
            limits?: components["schemas"]["LimitsInput"];
            /**
             * @description The name: not in use, 1 to 200 characters, none of them a control character.
             * @example reports
             */
            name: string;
            /**
             * @description How files of the worktree are found by name.
             * @default {
             *       "roots": [],
             *       "extensions": [
             *         ".js",
             *         ".mjs"
             *       ],
             *       "allow_absolute_repo_imports": false
             *     }
             */
            resolver?: components["schemas"]["ResolverSettingsInput"];
            /**
             * @description How code is run.
             * @default {
             *       "esm": false,
             *       "strict": false,
             *       "console": true,
             *       "typescript": false,
             *       "isolation": "default"
             *     }
             */
            runtime?: components["schemas"]["RuntimeSettingsInput"];
        };
        /** @description That a template is gone. */
        DeletedTemplate: {
            status: components["schemas"]["OkStatus"];
            /** @description The template. */
            template_id: components["schemas"]["TemplateId"];
        };
        /** @description How many executions ended in one way. */
        EndedExecutions: {
            /** @description How many did. */
            count: number;
            /** @description What was run. */
            kind: components["schemas"]["ExecutionKind"];
            /** @description How it ended. */
            status: components["schemas"]["ExecutionStatus"];
        };
        /** @description The JavaScript engine of a template. */
        Engine: "quickjs";
        /**
         * @description The engine. `goja`, for clients of the original, is stored and answered as `quickjs`.
         * @enum {string}
         */
        EngineName: "quickjs" | "goja";
        /** @description What every request that is not served answers. */
        Error: {
            /** @description What went wrong. */
            error: components["schemas"]["ErrorBody"];
        };
        /** @description What went wrong. */
        ErrorBody: {
            code: components["schemas"]["ErrorCode"];
            /** @description What else is known, by name: the field, the ids, the path that it is about. Empty when there is nothing. */
            details: {
                [key: string]: string;
            };
            /** @description A sentence for people. It may change: programs look at `code`. */
            message: string;
        };
        /**
         * @description What went wrong, as a word that never changes.
         * @enum {string}
         */
        ErrorCode: "INVALID_REQUEST" | "VALIDATION_ERROR" | "UNAUTHORIZED" | "FORBIDDEN" | "NOT_FOUND" | "TEMPLATE_NOT_FOUND" | "SESSION_NOT_FOUND" | "EXECUTION_NOT_FOUND" | "FILE_NOT_FOUND" | "METHOD_NOT_ALLOWED" | "REQUEST_TIMEOUT" | "ALREADY_EXISTS" | "SESSION_NOT_READY" | "TEMPLATE_INACTIVE" | "SESSION_BUSY" | "EXECUTION_NOT_RUNNING" | "IDEMPOTENCY_CONFLICT" | "PAYLOAD_TOO_LARGE" | "URI_TOO_LONG" | "UNSUPPORTED_MEDIA_TYPE" | "INVALID_PATH" | "OUTPUT_LIMIT_EXCEEDED" | "STARTUP_MODE_UNSUPPORTED" | "MODULE_NOT_ALLOWED" | "LIBRARY_NOT_FOUND" | "LIBRARY_DAMAGED" | "STARTUP_FAILED" | "LIMIT_REACHED" | "HEADERS_TOO_LARGE" | "INTERNAL" | "STORE_UNAVAILABLE" | "SHUTTING_DOWN";
        /**
         * @description One thing that happened in an execution.
         *
         *     `seq` starts at 1 and has no gaps. The first event is the `InputEcho`, the last one a `Value`, an `Exception` or a `System`.
         */
        Event: {
            /** @description The execution that it belongs to. */
            execution_id: components["schemas"]["ExecutionId"];
            /** @description Its place, from 1. */
            seq: number;
            /** @description When it happened. */
            ts: components["schemas"]["Timestamp"];
        } & ({
            payload: {
                /** @description The snippet or path. */
                text: string;
            };
            /** @constant */
            type: "input_echo";
        } | {
            payload: {
                /** @description The arguments as trees (`ValueTree`), where one is an object that one line does not tell all of; else none. */
                args?: components["schemas"]["ValueTree"][];
                /** @description The method's level; `console.trace` writes at `error`, as in Node. */
                level: components["schemas"]["ConsoleLevel"];
                /** @description The text, formatted and indented, without a final line break. */
                text: string;
            };
            /** @constant */
            type: "console";
        } | {
            payload: components["schemas"]["ResultValue"];
            /** @constant */
            type: "value";
        } | {
            payload: {
                /** @description The error's name and message, as in `ReferenceError: x is not defined`. */
                message: string;
                /** @description The error's name. */
                name?: string;
                /** @description The calls that led there, with the file, line and column of each. */
                stack?: string;
            };
            /** @constant */
            type: "exception";
        } | {
            payload: {
                /** @description The code of the reason. */
                code?: string;
                /** @description How grave it is. */
                level: components["schemas"]["SystemLevel"];
                /** @description The sentence. */
                message: string;
            };
            /** @constant */
            type: "system";
        } | {
            payload: {
                /** @description The text. */
                text: string;
            };
            /** @constant */
            type: "stdout";
        } | {
            payload: {
                /** @description The text. */
                text: string;
            };
            /** @constant */
            type: "stderr";
        });
        /** @description One run of a snippet or file, and what came of it. */
        Execution: {
            /** @description What the script saw as `__ARGS__`; of a `call`, its arguments by place, as `{"0": ...}`; of a `set_global`, its `value`. Of the latter two, what JSON has not is an object with one key: `{"$bigint": "7"}`, `{"$bytes": "AQI="}`, `{"$number": "NaN"}`, and `{"$object": ...}` around an object that would look like one of these. */
            args: {
                [key: string]: unknown;
            };
            /** @description When it ended. */
            ended_at?: components["schemas"]["Timestamp"];
            /** @description What the script saw as `__ENV__`. */
            env: {
                [key: string]: unknown;
            };
            /** @description Why it ended otherwise. */
            error?: components["schemas"]["ExecutionError"];
            /** @description What it did; empty in lists. */
            events?: components["schemas"]["Event"][];
            /** @description The id. */
            id: components["schemas"]["ExecutionId"];
            /** @description The snippet, of a `repl`; the function's name, of a `call`; the global's, of a `set_global`. */
            input?: string;
            /** @description What was run. */
            kind: components["schemas"]["ExecutionKind"];
            /** @description What it used. */
            metrics: components["schemas"]["Metrics"];
            /** @description The path, of a `run_file` or `startup`. */
            path?: string;
            /** @description Its value, of one that ended `ok`. */
            result?: components["schemas"]["ResultValue"];
            /** @description The session that it ran in. */
            session_id: components["schemas"]["SessionId"];
            /** @description When it began. */
            started_at: components["schemas"]["Timestamp"];
            /** @description Where it stands. */
            status: components["schemas"]["ExecutionStatus"];
        };
        /** @description Why an execution did not end with a value. */
        ExecutionError: {
            /** @description The reason, where it is one of ours. */
            code?: components["schemas"]["ExecutionErrorCode"];
            /** @description The error's name and message, as in `ReferenceError: x is not defined`. */
            message: string;
            /** @description The error's name. */
            name?: string;
            /** @description The calls that led there, with the file, line and column of each. */
            stack?: string;
        };
        /** @description Reasons for an execution's end that vm-system itself knows. */
        ExecutionErrorCode: "TIMEOUT" | "CANCELLED" | "OUT_OF_MEMORY" | "STACK_OVERFLOW" | "OUTPUT_LIMIT_EXCEEDED" | "WORKER_DIED" | "UNSETTLED";
        /**
         * Format: uuid
         * @description Names an execution.
         *
         *     A version 7 UUID: ids sort by the time at which they were made.
         */
        ExecutionId: string;
        /** @description What was run. */
        ExecutionKind: "repl" | "run_file" | "startup" | "call" | "set_global";
        /** @description One message of a stream of Server-Sent Events. */
        ExecutionMessage: {
            data: string;
            event: string;
            id: string;
        } | {
            data: string;
            /** @constant */
            event: "end";
        };
        /** @description Executions since the daemon was started. */
        ExecutionStats: {
            /** @description Those that have ended, by kind and status. */
            ended: components["schemas"]["EndedExecutions"][];
            /** @description How long they took from their begin until they were stored, by kind. */
            latency: components["schemas"]["ExecutionTimes"][];
            /** @description Those that run now. */
            running: number;
        };
        /** @description Where an execution stands. */
        ExecutionStatus: "running" | "ok" | "error" | "timeout" | "cancelled";
        /** @description How long executions of one kind took. */
        ExecutionTimes: {
            /** @description How many there were. */
            count: number;
            /** @description What was run. */
            kind: components["schemas"]["ExecutionKind"];
            /** Format: double */
            mean_ms: number;
            /** Format: double */
            p50_ms: number;
            /** Format: double */
            p90_ms: number;
            /** Format: double */
            p99_ms: number;
        };
        /** @description A global of a session, as it is now. */
        Global: {
            /** @description The last execution after which its value was found to be another. Whoever does not look after each one does not know of all of them: of what changed between two looks with more than one execution in between it is not told. */
            changed_by?: components["schemas"]["ExecutionId"];
            /** @description How it came to be. */
            kind: components["schemas"]["GlobalKind"];
            /** @description The name. */
            name: string;
            /** @description One line that stands for its value, of at most 200 characters. */
            preview: string;
            /** @description The type of its value; none of what calls a function when it is read, which is not done. */
            type?: components["schemas"]["ValueType"];
        };
        /** @description How a global came to be. */
        GlobalKind: "const" | "let" | "class" | "var" | "function" | "global";
        /** @description The globals of a session. */
        Globals: {
            /** @description What its code has declared, in the order of declaration, and then what it has set: at most 1000. */
            globals: components["schemas"]["Global"][];
            /** @description How many more there are. */
            more: number;
        };
        /** @description What a template was given. */
        GrantedByName: {
            /** @description The name of the module or library. */
            name: string;
            /** @description The template. */
            template_id: components["schemas"]["TemplateId"];
        };
        /** @description That the daemon is there. */
        Health: {
            status: components["schemas"]["OkStatus"];
        };
        /** @description What was typed in a session, newest first: its snippets, and not the files that were run. */
        History: {
            /** @description The inputs. There may be fewer than were asked for, of long ones, and more nevertheless; none says that there are no more. */
            entries: components["schemas"]["HistoryEntry"][];
        };
        /** @description One input. */
        HistoryEntry: {
            /** @description The execution that it was run as. */
            execution_id: components["schemas"]["ExecutionId"];
            /** @description The snippet. */
            input: string;
            /** @description When it was run. */
            started_at: components["schemas"]["Timestamp"];
        };
        /** @description A caller's name for one request: the same key with the same request is done once. */
        IdempotencyKey: string;
        /** @description Whether an input can be run as it is. */
        InputCheck: {
            /** @description Whether nothing is missing. More lines could make an input valid that is not whole: something is open in it. One with an error is whole. */
            complete: boolean;
            /** @description What is wrong with it, as far as a parser can tell; a session may find more. */
            error: components["schemas"]["InputError"] | null;
        };
        /** @description Why an input cannot be read. */
        InputError: {
            /** @description From 1, in bytes of UTF-8, as in stacks. */
            column: number;
            /** @description From 1. */
            line: number;
            /** @description What is wrong. */
            message: string;
        };
        /** @description Where the sessions of a template run. */
        Isolation: "default" | "thread" | "process";
        /**
         * @description Bounds of each execution of a session.
         *
         *     Every limit is enforced while the code runs; whichever is reached first ends that one execution, and the session goes on with the state that the code had made. What they do *not* do: on thread isolation, native code of the engine that never polls for interrupts cannot be stopped. Such a session is declared `crashed` 250 ms after its limit, and its thread is left behind at the lowest priority. Nor is a synchronous function interrupted that an embedding program offers: it goes on to its end, and a session in which one takes long after the limit (250 ms of work, or seconds asleep) is declared `crashed`, too.
         */
        Limits: {
            /**
             * @description Processor time in milliseconds, 1 to 3,600,000; 5,000 by default.
             * @default 5000
             */
            cpu_ms: number;
            /**
             * @description Events before the one that ends the execution, 1 to 1,000,000; 1,000 by default.
             * @default 1000
             */
            max_events: number;
            /**
             * @description Text of the events before the one that ends the execution in KiB, 1 to 65,536; 512 by default. That last one is bounded by itself.
             * @default 512
             */
            max_output_kb: number;
            /**
             * @description Heap of the whole session in MiB, 4 to 4096; 128 by default. Up to 80 MiB more are lent while an execution is being ended, and to one that begins with a full heap; a session that ends an execution with more than 64 MiB of that in use has no room left to let go of it, and is declared `crashed`.
             * @default 128
             */
            mem_mb: number;
            /**
             * @description Elapsed time in milliseconds, 1 to 86,400,000; 30,000 by default.
             * @default 30000
             */
            wall_ms: number;
        };
        /**
         * @description Bounds of each execution of a session.
         *
         *     Every limit is enforced while the code runs; whichever is reached first ends that one execution, and the session goes on with the state that the code had made. What they do *not* do: on thread isolation, native code of the engine that never polls for interrupts cannot be stopped. Such a session is declared `crashed` 250 ms after its limit, and its thread is left behind at the lowest priority. Nor is a synchronous function interrupted that an embedding program offers: it goes on to its end, and a session in which one takes long after the limit (250 ms of work, or seconds asleep) is declared `crashed`, too.
         */
        LimitsInput: {
            /**
             * @description Processor time in milliseconds, 1 to 3,600,000; 5,000 by default.
             * @default 5000
             */
            cpu_ms?: number;
            /**
             * @description Events before the one that ends the execution, 1 to 1,000,000; 1,000 by default.
             * @default 1000
             */
            max_events?: number;
            /**
             * @description Text of the events before the one that ends the execution in KiB, 1 to 65,536; 512 by default. That last one is bounded by itself.
             * @default 512
             */
            max_output_kb?: number;
            /**
             * @description Heap of the whole session in MiB, 4 to 4096; 128 by default. Up to 80 MiB more are lent while an execution is being ended, and to one that begins with a full heap; a session that ends an execution with more than 64 MiB of that in use has no room left to let go of it, and is declared `crashed`.
             * @default 128
             */
            mem_mb?: number;
            /**
             * @description Elapsed time in milliseconds, 1 to 86,400,000; 30,000 by default.
             * @default 30000
             */
            wall_ms?: number;
        };
        /** @description Limits to be changed; see `Limits`. */
        LimitsPatch: {
            /** @description Processor time in milliseconds. */
            cpu_ms?: number;
            /** @description Events before the one that ends the execution. */
            max_events?: number;
            /** @description Text of the events in KiB. */
            max_output_kb?: number;
            /** @description Heap of the whole session in MiB. */
            mem_mb?: number;
            /** @description Elapsed time in milliseconds. */
            wall_ms?: number;
        };
        /** @description What an execution used. */
        Metrics: {
            /** @description Processor time in milliseconds. */
            cpu_ms: number;
            /** @description How many events there are. */
            event_count: number;
            /** @description Heap of the session when it ended. */
            memory_bytes: number;
            /** @description Text of all events in bytes. */
            output_bytes: number;
            /** @description Elapsed time in milliseconds. */
            wall_ms: number;
        };
        /** @description What kind of module it is. */
        ModuleKind: "native";
        /** @description That it was done. */
        OkStatus: "ok";
        /** @description A document of OpenAPI 3.1. */
        OpenApi: Record<string, never>;
        /** @description What a process uses; zero where that cannot be told. */
        ProcessStats: {
            /**
             * Format: double
             * @description Processor time that it has used.
             */
            cpu_seconds: number;
            /** @description Files and sockets that it has open. */
            open_files: number;
            /** @description Memory that it has in RAM. */
            resident_bytes: number;
            /** @description Threads that it has. */
            threads: number;
        };
        /** @description What was taken from a template, if it was there. */
        RemovedByName: {
            /** @description The name of the module or library. */
            name: string;
            status: components["schemas"]["OkStatus"];
            /** @description The template. */
            template_id: components["schemas"]["TemplateId"];
        };
        /** @description What was taken from a template, if it was there. */
        RemovedCapability: {
            /** @description The capability. */
            capability_id: components["schemas"]["CapabilityId"];
            status: components["schemas"]["OkStatus"];
            /** @description The template. */
            template_id: components["schemas"]["TemplateId"];
        };
        /** @description Requests since the daemon was started. */
        RequestStats: {
            /** @description Connections that are open. */
            connections: number;
            /** @description How long answers took. */
            latency: components["schemas"]["Times"];
            /** @description Those that were refused, by the code of the refusal. */
            refused: {
                [key: string]: number;
            };
            /** @description Streams of events that are open. */
            streams: number;
        };
        /** @description Settings of the resolver to be changed; see `ResolverSettings`. */
        ResolverPatch: {
            /** @description Whether `/x` names `x` of the worktree. */
            allow_absolute_repo_imports?: boolean;
            /** @description Endings that are tried for a name without one: all of them, not more of them. */
            extensions?: string[];
            /** @description Directories of the worktree that bare names are looked up in: all of them, not more of them. */
            roots?: string[];
        };
        /** @description How files of the worktree are found by name. */
        ResolverSettings: {
            /**
             * @description Whether `/x` names `x` of the worktree. By default it does not.
             * @default false
             */
            allow_absolute_repo_imports: boolean;
            /**
             * @description Endings that are tried for a name without one. By default `.js` and `.mjs`.
             * @default [
             *       ".js",
             *       ".mjs"
             *     ]
             */
            extensions: string[];
            /**
             * @description Directories of the worktree that bare names are looked up in; `.` is the worktree itself. By default there are none.
             * @default []
             */
            roots: string[];
        };
        /** @description How files of the worktree are found by name. */
        ResolverSettingsInput: {
            /**
             * @description Whether `/x` names `x` of the worktree. By default it does not.
             * @default false
             */
            allow_absolute_repo_imports?: boolean;
            /**
             * @description Endings that are tried for a name without one. By default `.js` and `.mjs`.
             * @default [
             *       ".js",
             *       ".mjs"
             *     ]
             */
            extensions?: string[];
            /**
             * @description Directories of the worktree that bare names are looked up in; `.` is the worktree itself. By default there are none.
             * @default []
             */
            roots?: string[];
        };
        /**
         * @description What an execution came to: a type, a text for people, and JSON where the value is JSON.
         *
         *     `preview` is what `console.log` would print, bounded in depth, width and bytes: it is not a serialisation, and two different values may have the same one. `json` is there for null, booleans, finite numbers, strings, dates (ISO text), and arrays and plain objects of these; `undefined` is `null`. It is left out when it would be longer than 1 MiB or `max_output_kb`, or deeper than 100 levels.
         */
        ResultValue: {
            /** @description The value as JSON. */
            json?: unknown;
            /** @description The value as `console.log` would print it; a string stands by itself, without quotes. */
            preview: string;
            /** @description The value as a `ValueTree`, where it is an object that one line does not tell all of. Lists of executions leave it out. */
            tree?: components["schemas"]["ValueTree"];
            /** @description The type of the value. */
            type: components["schemas"]["ValueType"];
        };
        /** @description A file to be run. */
        RunFile: {
            /**
             * @description What the script sees as `__ARGS__`, for this run only.
             * @default {}
             * @example {
             *       "target": "web"
             *     }
             */
            args?: {
                [key: string]: unknown;
            };
            /**
             * @description Whether to answer 202 as soon as it is stored that it runs.
             * @default false
             */
            detach?: boolean;
            /**
             * @description What the script sees as `__ENV__`, for this run only.
             * @default {}
             */
            env?: {
                [key: string]: unknown;
            };
            /**
             * @description The path, relative to the worktree.
             * @example build.js
             */
            path: string;
            /** @description The session to run it in. */
            session_id: components["schemas"]["SessionId"];
        };
        /** @description A snippet to be run. */
        RunRepl: {
            /**
             * @description Whether to answer 202 as soon as it is stored that it runs.
             * @default false
             */
            detach?: boolean;
            /**
             * @description The snippet. What it declares at top level is there for later ones.
             * @example const total = 40 + 2; total
             */
            input: string;
            /** @description The session to run it in. */
            session_id: components["schemas"]["SessionId"];
        };
        /** @description Settings of the runtime to be changed; see `RuntimeSettings`. */
        RuntimePatch: {
            /** @description Whether there is a `console`. */
            console?: boolean;
            /** @description Whether files are ES modules whatever their ending. */
            esm?: boolean;
            /** @description Where sessions run. */
            isolation?: components["schemas"]["Isolation"];
            /** @description Whether scripts are strict without saying so. */
            strict?: boolean;
            /** @description Whether snippets may be TypeScript. */
            typescript?: boolean;
        };
        /** @description How code is run. */
        RuntimeSettings: {
            /**
             * @description Whether there is a `console`. By default there is.
             * @default true
             */
            console: boolean;
            /**
             * @description Whether files are ES modules where their ending does not tell: `.mjs` and `.mts` always are, `.cjs`, `.cts` and `.json` never, and packages in `node_modules` say it of themselves. Unless it is set, the `type` of the nearest `package.json` decides. Where there is none, a file that is imported or required is CommonJS, or an ES module if its text can only be that; and one that is run is a script. By default it is not set.
             * @default false
             */
            esm: boolean;
            /**
             * @description Where sessions run. By default where the program or daemon says.
             * @default default
             */
            isolation: components["schemas"]["Isolation"];
            /**
             * @description Whether scripts are strict without saying so. By default they are not.
             * @default false
             */
            strict: boolean;
            /**
             * @description Whether snippets may be TypeScript. Files that end in `.ts`, `.mts` or `.cts` are, whatever this says. Types are taken out and not checked; enums, namespaces with values and parameter properties are refused. By default snippets are JavaScript.
             * @default false
             */
            typescript: boolean;
        };
        /** @description How code is run. */
        RuntimeSettingsInput: {
            /**
             * @description Whether there is a `console`. By default there is.
             * @default true
             */
            console?: boolean;
            /**
             * @description Whether files are ES modules where their ending does not tell: `.mjs` and `.mts` always are, `.cjs`, `.cts` and `.json` never, and packages in `node_modules` say it of themselves. Unless it is set, the `type` of the nearest `package.json` decides. Where there is none, a file that is imported or required is CommonJS, or an ES module if its text can only be that; and one that is run is a script. By default it is not set.
             * @default false
             */
            esm?: boolean;
            /**
             * @description Where sessions run. By default where the program or daemon says.
             * @default default
             */
            isolation?: components["schemas"]["Isolation"];
            /**
             * @description Whether scripts are strict without saying so. By default they are not.
             * @default false
             */
            strict?: boolean;
            /**
             * @description Whether snippets may be TypeScript. Files that end in `.ts`, `.mts` or `.cts` are, whatever this says. Types are taken out and not checked; enums, namespaces with values and parameter properties are refused. By default snippets are JavaScript.
             * @default false
             */
            typescript?: boolean;
        };
        /** @description What is alive in memory, whatever the store says. */
        RuntimeSummary: {
            /** @description Which, oldest first. */
            active_session_ids: components["schemas"]["SessionId"][];
            /** @description How many. */
            active_sessions: number;
        };
        /** @description A session: a runtime that lasts from one execution to the next, or what is kept of one. */
        Session: {
            /** @description The caller's name for the state of the worktree. */
            base_commit_oid: string;
            /** @description When it was closed. */
            closed_at?: components["schemas"]["Timestamp"];
            /** @description When it was created. */
            created_at: components["schemas"]["Timestamp"];
            /** @description The id. */
            id: components["schemas"]["SessionId"];
            /** @description When its last execution ended, or began if it still runs. */
            last_activity_at?: components["schemas"]["Timestamp"];
            /** @description Why it crashed, or was closed by something else than a caller. */
            last_error?: string;
            /** @description The bytes of memory that its code used when that execution ended. */
            memory_bytes?: number;
            /** @description Facts about its runtime: `engine`, `isolation`, and the names of what it was given: `modules`, `libraries`. */
            runtime_meta: {
                [key: string]: unknown;
            };
            /** @description Where it stands. */
            status: components["schemas"]["SessionStatus"];
            /** @description The template that it was made from; it may be gone since. */
            template_id: components["schemas"]["TemplateId"];
            /** @description The template once more, under its old name. */
            vm_id: components["schemas"]["TemplateId"];
            /** @description The caller's name for the workspace. */
            workspace_id: string;
            /** @description The directory whose files its code may run. */
            worktree_path: string;
        };
        /** @description A place in the events of a session: an execution's id, a colon, and a `seq`. */
        SessionCursor: string;
        /**
         * Format: uuid
         * @description Names a session.
         *
         *     A version 7 UUID: ids sort by the time at which they were made.
         */
        SessionId: string;
        /** @description One message of a stream of Server-Sent Events. */
        SessionMessage: {
            data: string;
            event: string;
            id: components["schemas"]["SessionCursor"];
        } | {
            data: string;
            /** @constant */
            event: "session";
        };
        /** @description Sessions that there are, by status. */
        SessionStats: {
            closed: number;
            crashed: number;
            /** @description Those that were created since the daemon was started. */
            created: number;
            ready: number;
            starting: number;
        };
        /** @description Where a session stands. */
        SessionStatus: "starting" | "ready" | "crashed" | "closed";
        /** @description All settings of a template. */
        Settings: {
            /**
             * @description What one execution may use.
             * @default {
             *       "cpu_ms": 5000,
             *       "wall_ms": 30000,
             *       "mem_mb": 128,
             *       "max_events": 1000,
             *       "max_output_kb": 512
             *     }
             */
            limits: components["schemas"]["Limits"];
            /**
             * @description How files of the worktree are found by name.
             * @default {
             *       "roots": [],
             *       "extensions": [
             *         ".js",
             *         ".mjs"
             *       ],
             *       "allow_absolute_repo_imports": false
             *     }
             */
            resolver: components["schemas"]["ResolverSettings"];
            /**
             * @description How code is run.
             * @default {
             *       "esm": false,
             *       "strict": false,
             *       "console": true,
             *       "typescript": false,
             *       "isolation": "default"
             *     }
             */
            runtime: components["schemas"]["RuntimeSettings"];
            /** @description The template that they belong to. */
            template_id: components["schemas"]["TemplateId"];
            /** @description The template once more, under its old name. */
            vm_id: components["schemas"]["TemplateId"];
        };
        /** @description A file that every session of a template runs before it is ready. */
        StartupFile: {
            /** @description The id. */
            id: components["schemas"]["StartupFileId"];
            /** @description How it runs. */
            mode: components["schemas"]["StartupMode"];
            /** @description Where it stands in the order; equal ones run by age. */
            order_index: number;
            /** @description The path, relative to the session's worktree. */
            path: string;
            /** @description The template that it belongs to. */
            template_id: components["schemas"]["TemplateId"];
            /** @description The template once more, under its old name. */
            vm_id: components["schemas"]["TemplateId"];
        };
        /**
         * Format: uuid
         * @description Names a startup file of a template.
         *
         *     A version 7 UUID: ids sort by the time at which they were made.
         */
        StartupFileId: string;
        /** @description How a startup file runs. */
        StartupMode: "eval" | "import";
        /** @description What the daemon has done since it was started. Times are of this run; sessions are all that its database knows. */
        Stats: {
            /** @description The commit that the daemon was built from, or `unknown`. */
            commit: string;
            /** @description Executions since then. */
            executions: components["schemas"]["ExecutionStats"];
            /** @description What the daemon's process uses. */
            process: components["schemas"]["ProcessStats"];
            /** @description Requests since then. */
            requests: components["schemas"]["RequestStats"];
            /** @description Sessions that there are. */
            sessions: components["schemas"]["SessionStats"];
            /** @description When it was started. */
            started_at: components["schemas"]["Timestamp"];
            /** @description What was stored since then. */
            store: components["schemas"]["StoreStats"];
            /** @description For how long it has been up, in milliseconds. */
            uptime_ms: number;
            /** @description The daemon's version. */
            version: string;
        };
        /** @description What was stored since the daemon was started. */
        StoreStats: {
            /** @description How long transactions took. */
            commits: components["schemas"]["Times"];
            /** @description Bytes of events that were written. */
            event_bytes: number;
            /** @description Events that were written. */
            events: number;
            /** @description Bytes of the database's files; zero in memory. */
            file_bytes: number;
            /** @description Writes that were committed; together with the count of commits, how many shared one. */
            writes: number;
        };
        /**
         * @description The level of a system event.
         * @enum {string}
         */
        SystemLevel: "info" | "warn" | "error";
        /** @description A template as it is stored. */
        Template: {
            /** @description When it was created. */
            created_at: components["schemas"]["Timestamp"];
            /** @description The engine: always `quickjs`. */
            engine: components["schemas"]["Engine"];
            /** @description Native modules that its sessions may load, by name. */
            exposed_modules: string[];
            /** @description The id. */
            id: components["schemas"]["TemplateId"];
            /** @description Whether new sessions can be made from it. */
            is_active: boolean;
            /** @description Libraries that its sessions start with, by name. */
            libraries: string[];
            /** @description The name, unique among templates. */
            name: string;
            /** @description When it was last changed. */
            updated_at: components["schemas"]["Timestamp"];
        };
        /** @description A template with everything that belongs to it. */
        TemplateDetail: {
            /** @description Its capabilities, oldest first. */
            capabilities: components["schemas"]["Capability"][];
            /** @description Its limits and settings. */
            settings: components["schemas"]["Settings"];
            /** @description Its startup files, in the order in which they run. */
            startup_files: components["schemas"]["StartupFile"][];
            /** @description The template itself. */
            template: components["schemas"]["Template"];
        };
        /**
         * Format: uuid
         * @description Names a template.
         *
         *     A version 7 UUID: ids sort by the time at which they were made.
         */
        TemplateId: string;
        /** @description How times are distributed, in milliseconds; each is known to a quarter of itself. */
        Times: {
            /** @description How many there were. */
            count: number;
            /** Format: double */
            mean_ms: number;
            /** Format: double */
            p50_ms: number;
            /** Format: double */
            p90_ms: number;
            /** Format: double */
            p99_ms: number;
        };
        /**
         * Format: date-time
         * @description A point in time: RFC 3339, in UTC, of fixed width, so that it also sorts as text.
         */
        Timestamp: string;
        /** @description An entry of a `ValueTree`. */
        TreeEntry: {
            /** @description Its name, index or place; of a map's entry, one line that stands for the key. */
            key: string;
            /** @description The key of a map's entry, if that is an object. */
            key_tree?: components["schemas"]["ValueTree"];
            /** @description What it is. */
            kind: components["schemas"]["TreeEntryKind"];
            /** @description Its value. Of an accessor it says only that it is one: nothing is called. */
            value: components["schemas"]["ValueTree"];
        };
        /** @description What an entry of a `ValueTree` is. */
        TreeEntryKind: "property" | "index" | "symbol" | "accessor" | "entry" | "hidden" | "prototype";
        /** @description A change of a template: what is left out stays. */
        UpdateTemplate: {
            /** @description Whether new sessions can be made from it. */
            is_active?: boolean;
            /** @description Other limits. */
            limits?: components["schemas"]["LimitsPatch"];
            /**
             * @description Another name.
             * @example reports
             */
            name?: string;
            /** @description Other settings of how files are found. */
            resolver?: components["schemas"]["ResolverPatch"];
            /** @description Other settings of how code is run. */
            runtime?: components["schemas"]["RuntimePatch"];
        };
        /** @description A value as a tree: at most 6 levels, 100 entries in each, 1,000 values and 64 KiB. Or, as `ref` alone, an object that is shown elsewhere in the same tree. */
        ValueTree: {
            /** @description What it holds. */
            entries?: components["schemas"]["TreeEntry"][];
            /** @description By what a `ref` names it. */
            id?: number;
            /** @description How many more entries it has, or, of a string, characters. */
            more?: number;
            /** @description The name of its constructor. */
            name?: string;
            /** @description The object of this tree that it is, which contains it or was shown before. */
            ref?: number;
            /** @description One line that stands for it. Of a string, the string itself, whole up to 16 KiB; none of a `ref`. */
            text?: string;
            /** @description Its type; none of a `ref`. */
            type?: components["schemas"]["ValueType"];
        };
        /**
         * @description The type of a result, as scripts would name it.
         * @enum {string}
         */
        ValueType: "undefined" | "null" | "boolean" | "number" | "bigint" | "string" | "symbol" | "function" | "object" | "array" | "date" | "regexp" | "map" | "set" | "weakmap" | "weakset" | "weakref" | "error" | "promise" | "proxy" | "arraybuffer" | "typedarray" | "dataview" | "generator" | "iterator" | "arguments" | "module";
        /** @description An entry of a directory. */
        WorktreeEntry: {
            /** @description What it is, and where it is a link, what it leads to. */
            kind: components["schemas"]["WorktreeEntryKind"];
            /** @description Its name. */
            name: string;
            /** @description The bytes of a file. */
            size?: number;
        };
        /** @description What an entry of a directory is. */
        WorktreeEntryKind: "directory" | "file" | "other";
        /** @description What stands at a path of a worktree. */
        WorktreeView: {
            /** @description What lies in it: directories first, each kind sorted by name. Names that are not Unicode are left out. */
            entries: components["schemas"]["WorktreeEntry"][];
            /** @constant */
            kind: "directory";
            /** @description How many entries there are besides these. */
            more: number;
            /** @description Its path from the worktree; empty for the worktree itself. */
            path: string;
        } | {
            /** @constant */
            kind: "file";
            /** @description Its path from the worktree. */
            path: string;
            /** @description What stands in it. */
            text: string;
        };
    };
    responses: {
        /** @description `ALREADY_EXISTS`: The name or path is taken, or the capability is there already. */
        AlreadyExists: {
            headers: {
                "X-Request-Id": components["headers"]["RequestId"];
                [name: string]: unknown;
            };
            content: {
                "application/json": components["schemas"]["Error"] & {
                    error?: {
                        /** @enum {unknown} */
                        code?: "ALREADY_EXISTS";
                    };
                };
            };
        };
        /** @description `EXECUTION_NOT_RUNNING`: The execution has ended already. */
        ExecutionNotRunning: {
            headers: {
                "X-Request-Id": components["headers"]["RequestId"];
                [name: string]: unknown;
            };
            content: {
                "application/json": components["schemas"]["Error"] & {
                    error?: {
                        /** @enum {unknown} */
                        code?: "EXECUTION_NOT_RUNNING";
                    };
                };
            };
        };
        /** @description `FORBIDDEN`: The daemon has no token, and the request comes by a foreign name (`Host`) or from a foreign page (`Origin`). */
        Forbidden: {
            headers: {
                "X-Request-Id": components["headers"]["RequestId"];
                [name: string]: unknown;
            };
            content: {
                "application/json": components["schemas"]["Error"] & {
                    error?: {
                        /** @enum {unknown} */
                        code?: "FORBIDDEN";
                    };
                };
            };
        };
        /** @description `HEADERS_TOO_LARGE`: The head of the request is larger than the daemon takes, or has more fields. */
        HeadersTooLarge: {
            headers: {
                "X-Request-Id": components["headers"]["RequestId"];
                [name: string]: unknown;
            };
            content: {
                "application/json": components["schemas"]["Error"] & {
                    error?: {
                        /** @enum {unknown} */
                        code?: "HEADERS_TOO_LARGE";
                    };
                };
            };
        };
        /** @description `INTERNAL`: Something went wrong inside; the log says what, under the id of the request. */
        Internal: {
            headers: {
                "X-Request-Id": components["headers"]["RequestId"];
                [name: string]: unknown;
            };
            content: {
                "application/json": components["schemas"]["Error"] & {
                    error?: {
                        /** @enum {unknown} */
                        code?: "INTERNAL";
                    };
                };
            };
        };
        /** @description `INVALID_PATH`: The path is absolute, leaves the worktree, or names something else than it should; or the worktree itself is relative or missing. */
        InvalidPath: {
            headers: {
                "X-Request-Id": components["headers"]["RequestId"];
                [name: string]: unknown;
            };
            content: {
                "application/json": components["schemas"]["Error"] & {
                    error?: {
                        /** @enum {unknown} */
                        code?: "INVALID_PATH";
                    };
                };
            };
        };
        /**
         * @description `INVALID_PATH`: The path is absolute, leaves the worktree, or names something else than it should; or the worktree itself is relative or missing.
         *
         *     `MODULE_NOT_ALLOWED`: The module is none that can be granted: a built-in of JavaScript, one that needs no grant, or unknown.
         */
        InvalidPathOrModuleNotAllowed: {
            headers: {
                "X-Request-Id": components["headers"]["RequestId"];
                [name: string]: unknown;
            };
            content: {
                "application/json": components["schemas"]["Error"] & {
                    error?: {
                        /** @enum {unknown} */
                        code?: "INVALID_PATH" | "MODULE_NOT_ALLOWED";
                    };
                };
            };
        };
        /**
         * @description `INVALID_PATH`: The path is absolute, leaves the worktree, or names something else than it should; or the worktree itself is relative or missing.
         *
         *     `MODULE_NOT_ALLOWED`: The module is none that can be granted: a built-in of JavaScript, one that needs no grant, or unknown.
         *
         *     `LIBRARY_NOT_FOUND`: The library is neither in the catalogue nor in the cache; or a session needs its file, and the cache has none.
         *
         *     `LIBRARY_DAMAGED`: The library's file is not the one that was stored, and is not loaded.
         *
         *     `STARTUP_FAILED`: A startup file or library failed; the session of `details.session_id` is kept as `crashed`, and `details.last_error` says why.
         */
        InvalidPathOrModuleNotAllowedOrLibraryNotFoundOrLibraryDamagedOrStartupFailed: {
            headers: {
                "X-Request-Id": components["headers"]["RequestId"];
                [name: string]: unknown;
            };
            content: {
                "application/json": components["schemas"]["Error"] & {
                    error?: {
                        /** @enum {unknown} */
                        code?: "INVALID_PATH" | "MODULE_NOT_ALLOWED" | "LIBRARY_NOT_FOUND" | "LIBRARY_DAMAGED" | "STARTUP_FAILED";
                    };
                };
            };
        };
        /**
         * @description `INVALID_PATH`: The path is absolute, leaves the worktree, or names something else than it should; or the worktree itself is relative or missing.
         *
         *     `OUTPUT_LIMIT_EXCEEDED`: The execution passed `max_events` or `max_output_kb`; `details.execution_id` names it, and what it did up to there can be read.
         */
        InvalidPathOrOutputLimitExceeded: {
            headers: {
                "X-Request-Id": components["headers"]["RequestId"];
                [name: string]: unknown;
            };
            content: {
                "application/json": components["schemas"]["Error"] & {
                    error?: {
                        /** @enum {unknown} */
                        code?: "INVALID_PATH" | "OUTPUT_LIMIT_EXCEEDED";
                    };
                };
            };
        };
        /**
         * @description `INVALID_PATH`: The path is absolute, leaves the worktree, or names something else than it should; or the worktree itself is relative or missing.
         *
         *     `STARTUP_MODE_UNSUPPORTED`: The startup mode is none that there is.
         */
        InvalidPathOrStartupModeUnsupported: {
            headers: {
                "X-Request-Id": components["headers"]["RequestId"];
                [name: string]: unknown;
            };
            content: {
                "application/json": components["schemas"]["Error"] & {
                    error?: {
                        /** @enum {unknown} */
                        code?: "INVALID_PATH" | "STARTUP_MODE_UNSUPPORTED";
                    };
                };
            };
        };
        /** @description `INVALID_REQUEST`: The request cannot be read: malformed JSON, or a field, parameter or header that there is not here. */
        InvalidRequest: {
            headers: {
                "X-Request-Id": components["headers"]["RequestId"];
                [name: string]: unknown;
            };
            content: {
                "application/json": components["schemas"]["Error"] & {
                    error?: {
                        /** @enum {unknown} */
                        code?: "INVALID_REQUEST";
                    };
                };
            };
        };
        /**
         * @description `INVALID_REQUEST`: The request cannot be read: malformed JSON, or a field, parameter or header that there is not here.
         *
         *     `VALIDATION_ERROR`: A value is missing, of the wrong type or out of range; `details.field` names it.
         */
        InvalidRequestOrValidationError: {
            headers: {
                "X-Request-Id": components["headers"]["RequestId"];
                [name: string]: unknown;
            };
            content: {
                "application/json": components["schemas"]["Error"] & {
                    error?: {
                        /** @enum {unknown} */
                        code?: "INVALID_REQUEST" | "VALIDATION_ERROR";
                    };
                };
            };
        };
        /** @description `LIBRARY_NOT_FOUND`: The library is neither in the catalogue nor in the cache; or a session needs its file, and the cache has none. */
        LibraryNotFound: {
            headers: {
                "X-Request-Id": components["headers"]["RequestId"];
                [name: string]: unknown;
            };
            content: {
                "application/json": components["schemas"]["Error"] & {
                    error?: {
                        /** @enum {unknown} */
                        code?: "LIBRARY_NOT_FOUND";
                    };
                };
            };
        };
        /** @description `LIMIT_REACHED`: The daemon has as many sessions, running executions or connections as it may have, or the client has sent as many requests as it may: try again later. */
        LimitReached: {
            headers: {
                "Retry-After": components["headers"]["RetryAfter"];
                "X-Request-Id": components["headers"]["RequestId"];
                [name: string]: unknown;
            };
            content: {
                "application/json": components["schemas"]["Error"] & {
                    error?: {
                        /** @enum {unknown} */
                        code?: "LIMIT_REACHED";
                    };
                };
            };
        };
        /** @description `METHOD_NOT_ALLOWED`: The route is known and answers other methods, which `Allow` lists. */
        MethodNotAllowed: {
            headers: {
                Allow: components["headers"]["Allow"];
                "X-Request-Id": components["headers"]["RequestId"];
                [name: string]: unknown;
            };
            content: {
                "application/json": components["schemas"]["Error"] & {
                    error?: {
                        /** @enum {unknown} */
                        code?: "METHOD_NOT_ALLOWED";
                    };
                };
            };
        };
        /** @description `MODULE_NOT_ALLOWED`: The module is none that can be granted: a built-in of JavaScript, one that needs no grant, or unknown. */
        ModuleNotAllowed: {
            headers: {
                "X-Request-Id": components["headers"]["RequestId"];
                [name: string]: unknown;
            };
            content: {
                "application/json": components["schemas"]["Error"] & {
                    error?: {
                        /** @enum {unknown} */
                        code?: "MODULE_NOT_ALLOWED";
                    };
                };
            };
        };
        /**
         * @description `NOT_FOUND`: There is no such route.
         *
         *     `EXECUTION_NOT_FOUND`: There is no such execution.
         */
        NotFoundOrExecutionNotFound: {
            headers: {
                "X-Request-Id": components["headers"]["RequestId"];
                [name: string]: unknown;
            };
            content: {
                "application/json": components["schemas"]["Error"] & {
                    error?: {
                        /** @enum {unknown} */
                        code?: "NOT_FOUND" | "EXECUTION_NOT_FOUND";
                    };
                };
            };
        };
        /**
         * @description `NOT_FOUND`: There is no such route.
         *
         *     `SESSION_NOT_FOUND`: There is no such session.
         */
        NotFoundOrSessionNotFound: {
            headers: {
                "X-Request-Id": components["headers"]["RequestId"];
                [name: string]: unknown;
            };
            content: {
                "application/json": components["schemas"]["Error"] & {
                    error?: {
                        /** @enum {unknown} */
                        code?: "NOT_FOUND" | "SESSION_NOT_FOUND";
                    };
                };
            };
        };
        /**
         * @description `NOT_FOUND`: There is no such route.
         *
         *     `SESSION_NOT_FOUND`: There is no such session.
         *
         *     `FILE_NOT_FOUND`: There is no such file in the worktree.
         */
        NotFoundOrSessionNotFoundOrFileNotFound: {
            headers: {
                "X-Request-Id": components["headers"]["RequestId"];
                [name: string]: unknown;
            };
            content: {
                "application/json": components["schemas"]["Error"] & {
                    error?: {
                        /** @enum {unknown} */
                        code?: "NOT_FOUND" | "SESSION_NOT_FOUND" | "FILE_NOT_FOUND";
                    };
                };
            };
        };
        /**
         * @description `NOT_FOUND`: There is no such route.
         *
         *     `TEMPLATE_NOT_FOUND`: There is no such template.
         */
        NotFoundOrTemplateNotFound: {
            headers: {
                "X-Request-Id": components["headers"]["RequestId"];
                [name: string]: unknown;
            };
            content: {
                "application/json": components["schemas"]["Error"] & {
                    error?: {
                        /** @enum {unknown} */
                        code?: "NOT_FOUND" | "TEMPLATE_NOT_FOUND";
                    };
                };
            };
        };
        /** @description `OUTPUT_LIMIT_EXCEEDED`: The execution passed `max_events` or `max_output_kb`; `details.execution_id` names it, and what it did up to there can be read. */
        OutputLimitExceeded: {
            headers: {
                "X-Request-Id": components["headers"]["RequestId"];
                [name: string]: unknown;
            };
            content: {
                "application/json": components["schemas"]["Error"] & {
                    error?: {
                        /** @enum {unknown} */
                        code?: "OUTPUT_LIMIT_EXCEEDED";
                    };
                };
            };
        };
        /** @description `PAYLOAD_TOO_LARGE`: The body is larger than the daemon takes: 1 MiB unless it was told otherwise. */
        PayloadTooLarge: {
            headers: {
                "X-Request-Id": components["headers"]["RequestId"];
                [name: string]: unknown;
            };
            content: {
                "application/json": components["schemas"]["Error"] & {
                    error?: {
                        /** @enum {unknown} */
                        code?: "PAYLOAD_TOO_LARGE";
                    };
                };
            };
        };
        /** @description `REQUEST_TIMEOUT`: The body of the request did not arrive in time; the connection is closed. */
        RequestTimeout: {
            headers: {
                "X-Request-Id": components["headers"]["RequestId"];
                [name: string]: unknown;
            };
            content: {
                "application/json": components["schemas"]["Error"] & {
                    error?: {
                        /** @enum {unknown} */
                        code?: "REQUEST_TIMEOUT";
                    };
                };
            };
        };
        /** @description `SESSION_NOT_FOUND`: There is no such session. */
        SessionNotFound: {
            headers: {
                "X-Request-Id": components["headers"]["RequestId"];
                [name: string]: unknown;
            };
            content: {
                "application/json": components["schemas"]["Error"] & {
                    error?: {
                        /** @enum {unknown} */
                        code?: "SESSION_NOT_FOUND";
                    };
                };
            };
        };
        /**
         * @description `SESSION_NOT_FOUND`: There is no such session.
         *
         *     `FILE_NOT_FOUND`: There is no such file in the worktree.
         */
        SessionNotFoundOrFileNotFound: {
            headers: {
                "X-Request-Id": components["headers"]["RequestId"];
                [name: string]: unknown;
            };
            content: {
                "application/json": components["schemas"]["Error"] & {
                    error?: {
                        /** @enum {unknown} */
                        code?: "SESSION_NOT_FOUND" | "FILE_NOT_FOUND";
                    };
                };
            };
        };
        /** @description `SESSION_NOT_READY`: The session is starting, crashed or closed. */
        SessionNotReady: {
            headers: {
                "X-Request-Id": components["headers"]["RequestId"];
                [name: string]: unknown;
            };
            content: {
                "application/json": components["schemas"]["Error"] & {
                    error?: {
                        /** @enum {unknown} */
                        code?: "SESSION_NOT_READY";
                    };
                };
            };
        };
        /**
         * @description `SESSION_NOT_READY`: The session is starting, crashed or closed.
         *
         *     `SESSION_BUSY`: Another execution is running in the session.
         */
        SessionNotReadyOrSessionBusy: {
            headers: {
                "X-Request-Id": components["headers"]["RequestId"];
                [name: string]: unknown;
            };
            content: {
                "application/json": components["schemas"]["Error"] & {
                    error?: {
                        /** @enum {unknown} */
                        code?: "SESSION_NOT_READY" | "SESSION_BUSY";
                    };
                };
            };
        };
        /**
         * @description `SESSION_NOT_READY`: The session is starting, crashed or closed.
         *
         *     `SESSION_BUSY`: Another execution is running in the session.
         *
         *     `IDEMPOTENCY_CONFLICT`: The idempotency key was used before, for another request; `details.execution_id` names what it began.
         */
        SessionNotReadyOrSessionBusyOrIdempotencyConflict: {
            headers: {
                "X-Request-Id": components["headers"]["RequestId"];
                [name: string]: unknown;
            };
            content: {
                "application/json": components["schemas"]["Error"] & {
                    error?: {
                        /** @enum {unknown} */
                        code?: "SESSION_NOT_READY" | "SESSION_BUSY" | "IDEMPOTENCY_CONFLICT";
                    };
                };
            };
        };
        /**
         * @description `STORE_UNAVAILABLE`: The database cannot be used at the moment: its disk is full, read-only or fails. What was acknowledged is not lost; `details.execution_id` names an execution that has run, and whose end is stored later.
         *
         *     `SHUTTING_DOWN`: The daemon is shutting down.
         */
        StoreUnavailableOrShuttingDown: {
            headers: {
                "Retry-After": components["headers"]["RetryAfter"];
                "X-Request-Id": components["headers"]["RequestId"];
                [name: string]: unknown;
            };
            content: {
                "application/json": components["schemas"]["Error"] & {
                    error?: {
                        /** @enum {unknown} */
                        code?: "STORE_UNAVAILABLE" | "SHUTTING_DOWN";
                    };
                };
            };
        };
        /** @description `TEMPLATE_INACTIVE`: The template takes no new sessions. */
        TemplateInactive: {
            headers: {
                "X-Request-Id": components["headers"]["RequestId"];
                [name: string]: unknown;
            };
            content: {
                "application/json": components["schemas"]["Error"] & {
                    error?: {
                        /** @enum {unknown} */
                        code?: "TEMPLATE_INACTIVE";
                    };
                };
            };
        };
        /** @description `TEMPLATE_NOT_FOUND`: There is no such template. */
        TemplateNotFound: {
            headers: {
                "X-Request-Id": components["headers"]["RequestId"];
                [name: string]: unknown;
            };
            content: {
                "application/json": components["schemas"]["Error"] & {
                    error?: {
                        /** @enum {unknown} */
                        code?: "TEMPLATE_NOT_FOUND";
                    };
                };
            };
        };
        /** @description `UNAUTHORIZED`: The daemon has a token, and the request shows none or another one. */
        Unauthorized: {
            headers: {
                "WWW-Authenticate": components["headers"]["Authenticate"];
                "X-Request-Id": components["headers"]["RequestId"];
                [name: string]: unknown;
            };
            content: {
                "application/json": components["schemas"]["Error"] & {
                    error?: {
                        /** @enum {unknown} */
                        code?: "UNAUTHORIZED";
                    };
                };
            };
        };
        /** @description `UNSUPPORTED_MEDIA_TYPE`: The body is not sent as `application/json`, or is encoded. */
        UnsupportedMediaType: {
            headers: {
                "X-Request-Id": components["headers"]["RequestId"];
                [name: string]: unknown;
            };
            content: {
                "application/json": components["schemas"]["Error"] & {
                    error?: {
                        /** @enum {unknown} */
                        code?: "UNSUPPORTED_MEDIA_TYPE";
                    };
                };
            };
        };
        /** @description `URI_TOO_LONG`: The target of the request is longer than the daemon takes. */
        UriTooLong: {
            headers: {
                "X-Request-Id": components["headers"]["RequestId"];
                [name: string]: unknown;
            };
            content: {
                "application/json": components["schemas"]["Error"] & {
                    error?: {
                        /** @enum {unknown} */
                        code?: "URI_TOO_LONG";
                    };
                };
            };
        };
    };
    parameters: never;
    requestBodies: never;
    headers: {
        /** @description The methods that are answered. */
        Allow: string;
        /** @description How to show the token. */
        Authenticate: "Bearer";
        /** @description Where the execution can be read. */
        Location: string;
        /** @description The id of the request, which the log has too. */
        RequestId: string;
        /** @description After how many seconds it may be worth another try, if it may. */
        RetryAfter: number;
    };
    pathItems: never;
}
export type AddCapability = components['schemas']['AddCapability'];
export type AddLibrary = components['schemas']['AddLibrary'];
export type AddModule = components['schemas']['AddModule'];
export type AddStartupFile = components['schemas']['AddStartupFile'];
export type AvailableLibrary = components['schemas']['AvailableLibrary'];
export type AvailableModule = components['schemas']['AvailableModule'];
export type Capability = components['schemas']['Capability'];
export type CapabilityId = components['schemas']['CapabilityId'];
export type CapabilityKind = components['schemas']['CapabilityKind'];
export type CheckInput = components['schemas']['CheckInput'];
export type CompleteInput = components['schemas']['CompleteInput'];
export type Completion = components['schemas']['Completion'];
export type CompletionKind = components['schemas']['CompletionKind'];
export type Completions = components['schemas']['Completions'];
export type ConsoleLevel = components['schemas']['ConsoleLevel'];
export type CreateSession = components['schemas']['CreateSession'];
export type CreateTemplate = components['schemas']['CreateTemplate'];
export type DeletedTemplate = components['schemas']['DeletedTemplate'];
export type EndedExecutions = components['schemas']['EndedExecutions'];
export type Engine = components['schemas']['Engine'];
export type EngineName = components['schemas']['EngineName'];
export type Error = components['schemas']['Error'];
export type ErrorBody = components['schemas']['ErrorBody'];
export type ErrorCode = components['schemas']['ErrorCode'];
export type Event = components['schemas']['Event'];
export type Execution = components['schemas']['Execution'];
export type ExecutionError = components['schemas']['ExecutionError'];
export type ExecutionErrorCode = components['schemas']['ExecutionErrorCode'];
export type ExecutionId = components['schemas']['ExecutionId'];
export type ExecutionKind = components['schemas']['ExecutionKind'];
export type ExecutionMessage = components['schemas']['ExecutionMessage'];
export type ExecutionStats = components['schemas']['ExecutionStats'];
export type ExecutionStatus = components['schemas']['ExecutionStatus'];
export type ExecutionTimes = components['schemas']['ExecutionTimes'];
export type Global = components['schemas']['Global'];
export type GlobalKind = components['schemas']['GlobalKind'];
export type Globals = components['schemas']['Globals'];
export type GrantedByName = components['schemas']['GrantedByName'];
export type Health = components['schemas']['Health'];
export type History = components['schemas']['History'];
export type HistoryEntry = components['schemas']['HistoryEntry'];
export type IdempotencyKey = components['schemas']['IdempotencyKey'];
export type InputCheck = components['schemas']['InputCheck'];
export type InputError = components['schemas']['InputError'];
export type Isolation = components['schemas']['Isolation'];
export type Limits = components['schemas']['Limits'];
export type LimitsInput = components['schemas']['LimitsInput'];
export type LimitsPatch = components['schemas']['LimitsPatch'];
export type Metrics = components['schemas']['Metrics'];
export type ModuleKind = components['schemas']['ModuleKind'];
export type OkStatus = components['schemas']['OkStatus'];
export type OpenApi = components['schemas']['OpenApi'];
export type ProcessStats = components['schemas']['ProcessStats'];
export type RemovedByName = components['schemas']['RemovedByName'];
export type RemovedCapability = components['schemas']['RemovedCapability'];
export type RequestStats = components['schemas']['RequestStats'];
export type ResolverPatch = components['schemas']['ResolverPatch'];
export type ResolverSettings = components['schemas']['ResolverSettings'];
export type ResolverSettingsInput = components['schemas']['ResolverSettingsInput'];
export type ResultValue = components['schemas']['ResultValue'];
export type RunFile = components['schemas']['RunFile'];
export type RunRepl = components['schemas']['RunRepl'];
export type RuntimePatch = components['schemas']['RuntimePatch'];
export type RuntimeSettings = components['schemas']['RuntimeSettings'];
export type RuntimeSettingsInput = components['schemas']['RuntimeSettingsInput'];
export type RuntimeSummary = components['schemas']['RuntimeSummary'];
export type Session = components['schemas']['Session'];
export type SessionCursor = components['schemas']['SessionCursor'];
export type SessionId = components['schemas']['SessionId'];
export type SessionMessage = components['schemas']['SessionMessage'];
export type SessionStats = components['schemas']['SessionStats'];
export type SessionStatus = components['schemas']['SessionStatus'];
export type Settings = components['schemas']['Settings'];
export type StartupFile = components['schemas']['StartupFile'];
export type StartupFileId = components['schemas']['StartupFileId'];
export type StartupMode = components['schemas']['StartupMode'];
export type Stats = components['schemas']['Stats'];
export type StoreStats = components['schemas']['StoreStats'];
export type SystemLevel = components['schemas']['SystemLevel'];
export type Template = components['schemas']['Template'];
export type TemplateDetail = components['schemas']['TemplateDetail'];
export type TemplateId = components['schemas']['TemplateId'];
export type Times = components['schemas']['Times'];
export type Timestamp = components['schemas']['Timestamp'];
export type TreeEntry = components['schemas']['TreeEntry'];
export type TreeEntryKind = components['schemas']['TreeEntryKind'];
export type UpdateTemplate = components['schemas']['UpdateTemplate'];
export type ValueTree = components['schemas']['ValueTree'];
export type ValueType = components['schemas']['ValueType'];
export type WorktreeEntry = components['schemas']['WorktreeEntry'];
export type WorktreeEntryKind = components['schemas']['WorktreeEntryKind'];
export type WorktreeView = components['schemas']['WorktreeView'];
export type ResponseAlreadyExists = components['responses']['AlreadyExists'];
export type ResponseExecutionNotRunning = components['responses']['ExecutionNotRunning'];
export type ResponseForbidden = components['responses']['Forbidden'];
export type ResponseHeadersTooLarge = components['responses']['HeadersTooLarge'];
export type ResponseInternal = components['responses']['Internal'];
export type ResponseInvalidPath = components['responses']['InvalidPath'];
export type ResponseInvalidPathOrModuleNotAllowed = components['responses']['InvalidPathOrModuleNotAllowed'];
export type ResponseInvalidPathOrModuleNotAllowedOrLibraryNotFoundOrLibraryDamagedOrStartupFailed = components['responses']['InvalidPathOrModuleNotAllowedOrLibraryNotFoundOrLibraryDamagedOrStartupFailed'];
export type ResponseInvalidPathOrOutputLimitExceeded = components['responses']['InvalidPathOrOutputLimitExceeded'];
export type ResponseInvalidPathOrStartupModeUnsupported = components['responses']['InvalidPathOrStartupModeUnsupported'];
export type ResponseInvalidRequest = components['responses']['InvalidRequest'];
export type ResponseInvalidRequestOrValidationError = components['responses']['InvalidRequestOrValidationError'];
export type ResponseLibraryNotFound = components['responses']['LibraryNotFound'];
export type ResponseLimitReached = components['responses']['LimitReached'];
export type ResponseMethodNotAllowed = components['responses']['MethodNotAllowed'];
export type ResponseModuleNotAllowed = components['responses']['ModuleNotAllowed'];
export type ResponseNotFoundOrExecutionNotFound = components['responses']['NotFoundOrExecutionNotFound'];
export type ResponseNotFoundOrSessionNotFound = components['responses']['NotFoundOrSessionNotFound'];
export type ResponseNotFoundOrSessionNotFoundOrFileNotFound = components['responses']['NotFoundOrSessionNotFoundOrFileNotFound'];
export type ResponseNotFoundOrTemplateNotFound = components['responses']['NotFoundOrTemplateNotFound'];
export type ResponseOutputLimitExceeded = components['responses']['OutputLimitExceeded'];
export type ResponsePayloadTooLarge = components['responses']['PayloadTooLarge'];
export type ResponseRequestTimeout = components['responses']['RequestTimeout'];
export type ResponseSessionNotFound = components['responses']['SessionNotFound'];
export type ResponseSessionNotFoundOrFileNotFound = components['responses']['SessionNotFoundOrFileNotFound'];
export type ResponseSessionNotReady = components['responses']['SessionNotReady'];
export type ResponseSessionNotReadyOrSessionBusy = components['responses']['SessionNotReadyOrSessionBusy'];
export type ResponseSessionNotReadyOrSessionBusyOrIdempotencyConflict = components['responses']['SessionNotReadyOrSessionBusyOrIdempotencyConflict'];
export type ResponseStoreUnavailableOrShuttingDown = components['responses']['StoreUnavailableOrShuttingDown'];
export type ResponseTemplateInactive = components['responses']['TemplateInactive'];
export type ResponseTemplateNotFound = components['responses']['TemplateNotFound'];
export type ResponseUnauthorized = components['responses']['Unauthorized'];
export type ResponseUnsupportedMediaType = components['responses']['UnsupportedMediaType'];
export type ResponseUriTooLong = components['responses']['UriTooLong'];
export type HeaderAllow = components['headers']['Allow'];
export type HeaderAuthenticate = components['headers']['Authenticate'];
export type HeaderLocation = components['headers']['Location'];
export type HeaderRequestId = components['headers']['RequestId'];
export type HeaderRetryAfter = components['headers']['RetryAfter'];
export type $defs = Record<string, never>;
export interface operations {
    listAvailableLibraries: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description It is done. */
            200: {
                headers: {
                    "X-Request-Id": components["headers"]["RequestId"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["AvailableLibrary"][];
                };
            };
            400: components["responses"]["InvalidRequest"];
            401: components["responses"]["Unauthorized"];
            403: components["responses"]["Forbidden"];
            405: components["responses"]["MethodNotAllowed"];
            408: components["responses"]["RequestTimeout"];
            413: components["responses"]["PayloadTooLarge"];
            414: components["responses"]["UriTooLong"];
            415: components["responses"]["UnsupportedMediaType"];
            429: components["responses"]["LimitReached"];
            431: components["responses"]["HeadersTooLarge"];
            500: components["responses"]["Internal"];
            503: components["responses"]["StoreUnavailableOrShuttingDown"];
        };
    };
    listAvailableModules: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description It is done. */
            200: {
                headers: {
                    "X-Request-Id": components["headers"]["RequestId"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["AvailableModule"][];
                };
            };
            400: components["responses"]["InvalidRequest"];
            401: components["responses"]["Unauthorized"];
            403: components["responses"]["Forbidden"];
            405: components["responses"]["MethodNotAllowed"];
            408: components["responses"]["RequestTimeout"];
            413: components["responses"]["PayloadTooLarge"];
            414: components["responses"]["UriTooLong"];
            415: components["responses"]["UnsupportedMediaType"];
            429: components["responses"]["LimitReached"];
            431: components["responses"]["HeadersTooLarge"];
            500: components["responses"]["Internal"];
            503: components["responses"]["StoreUnavailableOrShuttingDown"];
        };
    };
    listExecutions: {
        parameters: {
            query: {
                /** @description Only executions older than this one: the last of a page. */
                before?: components["schemas"]["ExecutionId"];
                /** @description The most to answer: 50 unless given. */
                limit?: number;
                /** @description The session that they ran in. */
                session_id: components["schemas"]["SessionId"];
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description It is done. */
            200: {
                headers: {
                    "X-Request-Id": components["headers"]["RequestId"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Execution"][];
                };
            };
            400: components["responses"]["InvalidRequestOrValidationError"];
            401: components["responses"]["Unauthorized"];
            403: components["responses"]["Forbidden"];
            404: components["responses"]["SessionNotFound"];
            405: components["responses"]["MethodNotAllowed"];
            408: components["responses"]["RequestTimeout"];
            413: components["responses"]["PayloadTooLarge"];
            414: components["responses"]["UriTooLong"];
            415: components["responses"]["UnsupportedMediaType"];
            429: components["responses"]["LimitReached"];
            431: components["responses"]["HeadersTooLarge"];
            500: components["responses"]["Internal"];
            503: components["responses"]["StoreUnavailableOrShuttingDown"];
        };
    };
    getExecution: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The execution. */
                execution_id: components["schemas"]["ExecutionId"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description It is done. */
            200: {
                headers: {
                    "X-Request-Id": components["headers"]["RequestId"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Execution"];
                };
            };
            400: components["responses"]["InvalidRequestOrValidationError"];
            401: components["responses"]["Unauthorized"];
            403: components["responses"]["Forbidden"];
            404: components["responses"]["NotFoundOrExecutionNotFound"];
            405: components["responses"]["MethodNotAllowed"];
            408: components["responses"]["RequestTimeout"];
            413: components["responses"]["PayloadTooLarge"];
            414: components["responses"]["UriTooLong"];
            415: components["responses"]["UnsupportedMediaType"];
            429: components["responses"]["LimitReached"];
            431: components["responses"]["HeadersTooLarge"];
            500: components["responses"]["Internal"];
            503: components["responses"]["StoreUnavailableOrShuttingDown"];
        };
    };
    cancelExecution: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The execution. */
                execution_id: components["schemas"]["ExecutionId"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description It is done. */
            200: {
                headers: {
                    "X-Request-Id": components["headers"]["RequestId"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Execution"];
                };
            };
            400: components["responses"]["InvalidRequestOrValidationError"];
            401: components["responses"]["Unauthorized"];
            403: components["responses"]["Forbidden"];
            404: components["responses"]["NotFoundOrExecutionNotFound"];
            405: components["responses"]["MethodNotAllowed"];
            408: components["responses"]["RequestTimeout"];
            409: components["responses"]["ExecutionNotRunning"];
            413: components["responses"]["PayloadTooLarge"];
            414: components["responses"]["UriTooLong"];
            415: components["responses"]["UnsupportedMediaType"];
            429: components["responses"]["LimitReached"];
            431: components["responses"]["HeadersTooLarge"];
            500: components["responses"]["Internal"];
            503: components["responses"]["StoreUnavailableOrShuttingDown"];
        };
    };
    listEvents: {
        parameters: {
            query?: {
                /** @description Only events after this one; 0 unless given, which is all of them. */
                after_seq?: number;
                /** @description The most events to answer; unless given, all that there are. */
                limit?: number;
                /** @description How long to wait, in milliseconds, for the first new event or the end of the execution; 0 unless given. */
                wait_ms?: number;
            };
            header?: never;
            path: {
                /** @description The execution. */
                execution_id: components["schemas"]["ExecutionId"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description It is done. */
            200: {
                headers: {
                    "X-Request-Id": components["headers"]["RequestId"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Event"][];
                };
            };
            400: components["responses"]["InvalidRequestOrValidationError"];
            401: components["responses"]["Unauthorized"];
            403: components["responses"]["Forbidden"];
            404: components["responses"]["NotFoundOrExecutionNotFound"];
            405: components["responses"]["MethodNotAllowed"];
            408: components["responses"]["RequestTimeout"];
            413: components["responses"]["PayloadTooLarge"];
            414: components["responses"]["UriTooLong"];
            415: components["responses"]["UnsupportedMediaType"];
            429: components["responses"]["LimitReached"];
            431: components["responses"]["HeadersTooLarge"];
            500: components["responses"]["Internal"];
            503: components["responses"]["StoreUnavailableOrShuttingDown"];
        };
    };
    streamExecution: {
        parameters: {
            query?: {
                /** @description Only events after this one; 0 unless given, which is all of them. */
                after_seq?: number;
            };
            header?: {
                /** @description Where the stream was cut off: the `id` of the last message. It wins over the query. */
                "Last-Event-ID"?: number | string;
            };
            path: {
                /** @description The execution. */
                execution_id: components["schemas"]["ExecutionId"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The messages, as they come; the schema is that of each. */
            200: {
                headers: {
                    "X-Request-Id": components["headers"]["RequestId"];
                    [name: string]: unknown;
                };
                content: {
                    "text/event-stream": components["schemas"]["ExecutionMessage"];
                };
            };
            400: components["responses"]["InvalidRequestOrValidationError"];
            401: components["responses"]["Unauthorized"];
            403: components["responses"]["Forbidden"];
            404: components["responses"]["NotFoundOrExecutionNotFound"];
            405: components["responses"]["MethodNotAllowed"];
            408: components["responses"]["RequestTimeout"];
            413: components["responses"]["PayloadTooLarge"];
            414: components["responses"]["UriTooLong"];
            415: components["responses"]["UnsupportedMediaType"];
            429: components["responses"]["LimitReached"];
            431: components["responses"]["HeadersTooLarge"];
            500: components["responses"]["Internal"];
            503: components["responses"]["StoreUnavailableOrShuttingDown"];
        };
    };
    runRepl: {
        parameters: {
            query?: never;
            header?: {
                /** @description The same key with the same request, within 24 hours, answers what the first one came to, and runs nothing. A refusal does not use the key up. */
                "Idempotency-Key"?: components["schemas"]["IdempotencyKey"];
            };
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["RunRepl"];
            };
        };
        responses: {
            /** @description It has ended, and is stored. */
            201: {
                headers: {
                    "X-Request-Id": components["headers"]["RequestId"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Execution"];
                };
            };
            /** @description With `detach`: it is stored that it runs. */
            202: {
                headers: {
                    Location: components["headers"]["Location"];
                    "X-Request-Id": components["headers"]["RequestId"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Execution"];
                };
            };
            400: components["responses"]["InvalidRequestOrValidationError"];
            401: components["responses"]["Unauthorized"];
            403: components["responses"]["Forbidden"];
            404: components["responses"]["SessionNotFound"];
            405: components["responses"]["MethodNotAllowed"];
            408: components["responses"]["RequestTimeout"];
            409: components["responses"]["SessionNotReadyOrSessionBusyOrIdempotencyConflict"];
            413: components["responses"]["PayloadTooLarge"];
            414: components["responses"]["UriTooLong"];
            415: components["responses"]["UnsupportedMediaType"];
            422: components["responses"]["OutputLimitExceeded"];
            429: components["responses"]["LimitReached"];
            431: components["responses"]["HeadersTooLarge"];
            500: components["responses"]["Internal"];
            503: components["responses"]["StoreUnavailableOrShuttingDown"];
        };
    };
    runFile: {
        parameters: {
            query?: never;
            header?: {
                /** @description The same key with the same request, within 24 hours, answers what the first one came to, and runs nothing. A refusal does not use the key up. */
                "Idempotency-Key"?: components["schemas"]["IdempotencyKey"];
            };
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["RunFile"];
            };
        };
        responses: {
            /** @description It has ended, and is stored. */
            201: {
                headers: {
                    "X-Request-Id": components["headers"]["RequestId"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Execution"];
                };
            };
            /** @description With `detach`: it is stored that it runs. */
            202: {
                headers: {
                    Location: components["headers"]["Location"];
                    "X-Request-Id": components["headers"]["RequestId"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Execution"];
                };
            };
            400: components["responses"]["InvalidRequestOrValidationError"];
            401: components["responses"]["Unauthorized"];
            403: components["responses"]["Forbidden"];
            404: components["responses"]["SessionNotFoundOrFileNotFound"];
            405: components["responses"]["MethodNotAllowed"];
            408: components["responses"]["RequestTimeout"];
            409: components["responses"]["SessionNotReadyOrSessionBusyOrIdempotencyConflict"];
            413: components["responses"]["PayloadTooLarge"];
            414: components["responses"]["UriTooLong"];
            415: components["responses"]["UnsupportedMediaType"];
            422: components["responses"]["InvalidPathOrOutputLimitExceeded"];
            429: components["responses"]["LimitReached"];
            431: components["responses"]["HeadersTooLarge"];
            500: components["responses"]["Internal"];
            503: components["responses"]["StoreUnavailableOrShuttingDown"];
        };
    };
    getHealth: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description It is done. */
            200: {
                headers: {
                    "X-Request-Id": components["headers"]["RequestId"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Health"];
                };
            };
            400: components["responses"]["InvalidRequest"];
            403: components["responses"]["Forbidden"];
            405: components["responses"]["MethodNotAllowed"];
            408: components["responses"]["RequestTimeout"];
            413: components["responses"]["PayloadTooLarge"];
            414: components["responses"]["UriTooLong"];
            415: components["responses"]["UnsupportedMediaType"];
            429: components["responses"]["LimitReached"];
            431: components["responses"]["HeadersTooLarge"];
            500: components["responses"]["Internal"];
            503: components["responses"]["StoreUnavailableOrShuttingDown"];
        };
    };
    getOpenApi: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The document. */
            200: {
                headers: {
                    "X-Request-Id": components["headers"]["RequestId"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["OpenApi"];
                };
            };
            400: components["responses"]["InvalidRequest"];
            401: components["responses"]["Unauthorized"];
            403: components["responses"]["Forbidden"];
            405: components["responses"]["MethodNotAllowed"];
            408: components["responses"]["RequestTimeout"];
            413: components["responses"]["PayloadTooLarge"];
            414: components["responses"]["UriTooLong"];
            415: components["responses"]["UnsupportedMediaType"];
            429: components["responses"]["LimitReached"];
            431: components["responses"]["HeadersTooLarge"];
            500: components["responses"]["Internal"];
            503: components["responses"]["StoreUnavailableOrShuttingDown"];
        };
    };
    getRuntimeStats: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description It is done. */
            200: {
                headers: {
                    "X-Request-Id": components["headers"]["RequestId"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Stats"];
                };
            };
            400: components["responses"]["InvalidRequest"];
            401: components["responses"]["Unauthorized"];
            403: components["responses"]["Forbidden"];
            405: components["responses"]["MethodNotAllowed"];
            408: components["responses"]["RequestTimeout"];
            413: components["responses"]["PayloadTooLarge"];
            414: components["responses"]["UriTooLong"];
            415: components["responses"]["UnsupportedMediaType"];
            429: components["responses"]["LimitReached"];
            431: components["responses"]["HeadersTooLarge"];
            500: components["responses"]["Internal"];
            503: components["responses"]["StoreUnavailableOrShuttingDown"];
        };
    };
    getRuntimeSummary: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description It is done. */
            200: {
                headers: {
                    "X-Request-Id": components["headers"]["RequestId"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["RuntimeSummary"];
                };
            };
            400: components["responses"]["InvalidRequest"];
            401: components["responses"]["Unauthorized"];
            403: components["responses"]["Forbidden"];
            405: components["responses"]["MethodNotAllowed"];
            408: components["responses"]["RequestTimeout"];
            413: components["responses"]["PayloadTooLarge"];
            414: components["responses"]["UriTooLong"];
            415: components["responses"]["UnsupportedMediaType"];
            429: components["responses"]["LimitReached"];
            431: components["responses"]["HeadersTooLarge"];
            500: components["responses"]["Internal"];
            503: components["responses"]["StoreUnavailableOrShuttingDown"];
        };
    };
    listSessions: {
        parameters: {
            query?: {
                /** @description Only sessions older than this one: the last of a page. */
                before?: components["schemas"]["SessionId"];
                /** @description The most to answer: 50 unless given. */
                limit?: number;
                /** @description Only sessions of this status. */
                status?: components["schemas"]["SessionStatus"];
                /** @description Only sessions of this template. */
                template_id?: components["schemas"]["TemplateId"];
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description It is done. */
            200: {
                headers: {
                    "X-Request-Id": components["headers"]["RequestId"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Session"][];
                };
            };
            400: components["responses"]["InvalidRequestOrValidationError"];
            401: components["responses"]["Unauthorized"];
            403: components["responses"]["Forbidden"];
            405: components["responses"]["MethodNotAllowed"];
            408: components["responses"]["RequestTimeout"];
            413: components["responses"]["PayloadTooLarge"];
            414: components["responses"]["UriTooLong"];
            415: components["responses"]["UnsupportedMediaType"];
            429: components["responses"]["LimitReached"];
            431: components["responses"]["HeadersTooLarge"];
            500: components["responses"]["Internal"];
            503: components["responses"]["StoreUnavailableOrShuttingDown"];
        };
    };
    createSession: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["CreateSession"];
            };
        };
        responses: {
            /** @description It is made, and stored. */
            201: {
                headers: {
                    "X-Request-Id": components["headers"]["RequestId"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Session"];
                };
            };
            400: components["responses"]["InvalidRequestOrValidationError"];
            401: components["responses"]["Unauthorized"];
            403: components["responses"]["Forbidden"];
            404: components["responses"]["TemplateNotFound"];
            405: components["responses"]["MethodNotAllowed"];
            408: components["responses"]["RequestTimeout"];
            409: components["responses"]["TemplateInactive"];
            413: components["responses"]["PayloadTooLarge"];
            414: components["responses"]["UriTooLong"];
            415: components["responses"]["UnsupportedMediaType"];
            422: components["responses"]["InvalidPathOrModuleNotAllowedOrLibraryNotFoundOrLibraryDamagedOrStartupFailed"];
            429: components["responses"]["LimitReached"];
            431: components["responses"]["HeadersTooLarge"];
            500: components["responses"]["Internal"];
            503: components["responses"]["StoreUnavailableOrShuttingDown"];
        };
    };
    getSession: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The session. */
                session_id: components["schemas"]["SessionId"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description It is done. */
            200: {
                headers: {
                    "X-Request-Id": components["headers"]["RequestId"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Session"];
                };
            };
            400: components["responses"]["InvalidRequestOrValidationError"];
            401: components["responses"]["Unauthorized"];
            403: components["responses"]["Forbidden"];
            404: components["responses"]["NotFoundOrSessionNotFound"];
            405: components["responses"]["MethodNotAllowed"];
            408: components["responses"]["RequestTimeout"];
            413: components["responses"]["PayloadTooLarge"];
            414: components["responses"]["UriTooLong"];
            415: components["responses"]["UnsupportedMediaType"];
            429: components["responses"]["LimitReached"];
            431: components["responses"]["HeadersTooLarge"];
            500: components["responses"]["Internal"];
            503: components["responses"]["StoreUnavailableOrShuttingDown"];
        };
    };
    deleteSession: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The session. */
                session_id: components["schemas"]["SessionId"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description It is done. */
            200: {
                headers: {
                    "X-Request-Id": components["headers"]["RequestId"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Session"];
                };
            };
            400: components["responses"]["InvalidRequestOrValidationError"];
            401: components["responses"]["Unauthorized"];
            403: components["responses"]["Forbidden"];
            404: components["responses"]["NotFoundOrSessionNotFound"];
            405: components["responses"]["MethodNotAllowed"];
            408: components["responses"]["RequestTimeout"];
            413: components["responses"]["PayloadTooLarge"];
            414: components["responses"]["UriTooLong"];
            415: components["responses"]["UnsupportedMediaType"];
            429: components["responses"]["LimitReached"];
            431: components["responses"]["HeadersTooLarge"];
            500: components["responses"]["Internal"];
            503: components["responses"]["StoreUnavailableOrShuttingDown"];
        };
    };
    checkInput: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The session. */
                session_id: components["schemas"]["SessionId"];
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["CheckInput"];
            };
        };
        responses: {
            /** @description It is done. */
            200: {
                headers: {
                    "X-Request-Id": components["headers"]["RequestId"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["InputCheck"];
                };
            };
            400: components["responses"]["InvalidRequestOrValidationError"];
            401: components["responses"]["Unauthorized"];
            403: components["responses"]["Forbidden"];
            404: components["responses"]["NotFoundOrSessionNotFound"];
            405: components["responses"]["MethodNotAllowed"];
            408: components["responses"]["RequestTimeout"];
            409: components["responses"]["SessionNotReady"];
            413: components["responses"]["PayloadTooLarge"];
            414: components["responses"]["UriTooLong"];
            415: components["responses"]["UnsupportedMediaType"];
            429: components["responses"]["LimitReached"];
            431: components["responses"]["HeadersTooLarge"];
            500: components["responses"]["Internal"];
            503: components["responses"]["StoreUnavailableOrShuttingDown"];
        };
    };
    closeSession: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The session. */
                session_id: components["schemas"]["SessionId"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description It is done. */
            200: {
                headers: {
                    "X-Request-Id": components["headers"]["RequestId"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Session"];
                };
            };
            400: components["responses"]["InvalidRequestOrValidationError"];
            401: components["responses"]["Unauthorized"];
            403: components["responses"]["Forbidden"];
            404: components["responses"]["NotFoundOrSessionNotFound"];
            405: components["responses"]["MethodNotAllowed"];
            408: components["responses"]["RequestTimeout"];
            413: components["responses"]["PayloadTooLarge"];
            414: components["responses"]["UriTooLong"];
            415: components["responses"]["UnsupportedMediaType"];
            429: components["responses"]["LimitReached"];
            431: components["responses"]["HeadersTooLarge"];
            500: components["responses"]["Internal"];
            503: components["responses"]["StoreUnavailableOrShuttingDown"];
        };
    };
    completeInput: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The session. */
                session_id: components["schemas"]["SessionId"];
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["CompleteInput"];
            };
        };
        responses: {
            /** @description It is done. */
            200: {
                headers: {
                    "X-Request-Id": components["headers"]["RequestId"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Completions"];
                };
            };
            400: components["responses"]["InvalidRequestOrValidationError"];
            401: components["responses"]["Unauthorized"];
            403: components["responses"]["Forbidden"];
            404: components["responses"]["NotFoundOrSessionNotFound"];
            405: components["responses"]["MethodNotAllowed"];
            408: components["responses"]["RequestTimeout"];
            409: components["responses"]["SessionNotReadyOrSessionBusy"];
            413: components["responses"]["PayloadTooLarge"];
            414: components["responses"]["UriTooLong"];
            415: components["responses"]["UnsupportedMediaType"];
            429: components["responses"]["LimitReached"];
            431: components["responses"]["HeadersTooLarge"];
            500: components["responses"]["Internal"];
            503: components["responses"]["StoreUnavailableOrShuttingDown"];
        };
    };
    streamSession: {
        parameters: {
            query?: {
                /** @description Only events after this one; unless given, all of them, startup included. Not with `tail`. */
                after?: components["schemas"]["SessionCursor"];
                /** @description Begin with the last so many executions of the session. Not with `after`. */
                tail?: number;
            };
            header?: {
                /** @description Where the stream was cut off: the `id` of the last message. It wins over the query. */
                "Last-Event-ID"?: components["schemas"]["SessionCursor"] | string;
            };
            path: {
                /** @description The session. */
                session_id: components["schemas"]["SessionId"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The messages, as they come; the schema is that of each. */
            200: {
                headers: {
                    "X-Request-Id": components["headers"]["RequestId"];
                    [name: string]: unknown;
                };
                content: {
                    "text/event-stream": components["schemas"]["SessionMessage"];
                };
            };
            400: components["responses"]["InvalidRequestOrValidationError"];
            401: components["responses"]["Unauthorized"];
            403: components["responses"]["Forbidden"];
            404: components["responses"]["NotFoundOrSessionNotFound"];
            405: components["responses"]["MethodNotAllowed"];
            408: components["responses"]["RequestTimeout"];
            413: components["responses"]["PayloadTooLarge"];
            414: components["responses"]["UriTooLong"];
            415: components["responses"]["UnsupportedMediaType"];
            429: components["responses"]["LimitReached"];
            431: components["responses"]["HeadersTooLarge"];
            500: components["responses"]["Internal"];
            503: components["responses"]["StoreUnavailableOrShuttingDown"];
        };
    };
    lookAtFiles: {
        parameters: {
            query?: {
                /** @description A path from the worktree; unless given, the worktree itself. */
                path?: string;
            };
            header?: never;
            path: {
                /** @description The session. */
                session_id: components["schemas"]["SessionId"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description It is done. */
            200: {
                headers: {
                    "X-Request-Id": components["headers"]["RequestId"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["WorktreeView"];
                };
            };
            400: components["responses"]["InvalidRequestOrValidationError"];
            401: components["responses"]["Unauthorized"];
            403: components["responses"]["Forbidden"];
            404: components["responses"]["NotFoundOrSessionNotFoundOrFileNotFound"];
            405: components["responses"]["MethodNotAllowed"];
            408: components["responses"]["RequestTimeout"];
            413: components["responses"]["PayloadTooLarge"];
            414: components["responses"]["UriTooLong"];
            415: components["responses"]["UnsupportedMediaType"];
            422: components["responses"]["InvalidPath"];
            429: components["responses"]["LimitReached"];
            431: components["responses"]["HeadersTooLarge"];
            500: components["responses"]["Internal"];
            503: components["responses"]["StoreUnavailableOrShuttingDown"];
        };
    };
    listGlobals: {
        parameters: {
            query?: {
                /** @description Whether the built-in globals are listed, too; `false` unless given. */
                builtins?: boolean;
            };
            header?: never;
            path: {
                /** @description The session. */
                session_id: components["schemas"]["SessionId"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description It is done. */
            200: {
                headers: {
                    "X-Request-Id": components["headers"]["RequestId"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Globals"];
                };
            };
            400: components["responses"]["InvalidRequestOrValidationError"];
            401: components["responses"]["Unauthorized"];
            403: components["responses"]["Forbidden"];
            404: components["responses"]["NotFoundOrSessionNotFound"];
            405: components["responses"]["MethodNotAllowed"];
            408: components["responses"]["RequestTimeout"];
            409: components["responses"]["SessionNotReadyOrSessionBusy"];
            413: components["responses"]["PayloadTooLarge"];
            414: components["responses"]["UriTooLong"];
            415: components["responses"]["UnsupportedMediaType"];
            429: components["responses"]["LimitReached"];
            431: components["responses"]["HeadersTooLarge"];
            500: components["responses"]["Internal"];
            503: components["responses"]["StoreUnavailableOrShuttingDown"];
        };
    };
    listHistory: {
        parameters: {
            query?: {
                /** @description Only inputs of executions older than this one: the last of a page. */
                before?: components["schemas"]["ExecutionId"];
                /** @description The most to answer: 50 unless given. */
                limit?: number;
            };
            header?: never;
            path: {
                /** @description The session. */
                session_id: components["schemas"]["SessionId"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description It is done. */
            200: {
                headers: {
                    "X-Request-Id": components["headers"]["RequestId"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["History"];
                };
            };
            400: components["responses"]["InvalidRequestOrValidationError"];
            401: components["responses"]["Unauthorized"];
            403: components["responses"]["Forbidden"];
            404: components["responses"]["NotFoundOrSessionNotFound"];
            405: components["responses"]["MethodNotAllowed"];
            408: components["responses"]["RequestTimeout"];
            413: components["responses"]["PayloadTooLarge"];
            414: components["responses"]["UriTooLong"];
            415: components["responses"]["UnsupportedMediaType"];
            429: components["responses"]["LimitReached"];
            431: components["responses"]["HeadersTooLarge"];
            500: components["responses"]["Internal"];
            503: components["responses"]["StoreUnavailableOrShuttingDown"];
        };
    };
    listTemplates: {
        parameters: {
            query?: {
                /** @description Only templates older than this one: the last of a page. */
                before?: components["schemas"]["TemplateId"];
                /** @description The most to answer: 50 unless given. */
                limit?: number;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description It is done. */
            200: {
                headers: {
                    "X-Request-Id": components["headers"]["RequestId"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Template"][];
                };
            };
            400: components["responses"]["InvalidRequestOrValidationError"];
            401: components["responses"]["Unauthorized"];
            403: components["responses"]["Forbidden"];
            405: components["responses"]["MethodNotAllowed"];
            408: components["responses"]["RequestTimeout"];
            413: components["responses"]["PayloadTooLarge"];
            414: components["responses"]["UriTooLong"];
            415: components["responses"]["UnsupportedMediaType"];
            429: components["responses"]["LimitReached"];
            431: components["responses"]["HeadersTooLarge"];
            500: components["responses"]["Internal"];
            503: components["responses"]["StoreUnavailableOrShuttingDown"];
        };
    };
    createTemplate: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["CreateTemplate"];
            };
        };
        responses: {
            /** @description It is made, and stored. */
            201: {
                headers: {
                    "X-Request-Id": components["headers"]["RequestId"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Template"];
                };
            };
            400: components["responses"]["InvalidRequestOrValidationError"];
            401: components["responses"]["Unauthorized"];
            403: components["responses"]["Forbidden"];
            405: components["responses"]["MethodNotAllowed"];
            408: components["responses"]["RequestTimeout"];
            409: components["responses"]["AlreadyExists"];
            413: components["responses"]["PayloadTooLarge"];
            414: components["responses"]["UriTooLong"];
            415: components["responses"]["UnsupportedMediaType"];
            422: components["responses"]["InvalidPath"];
            429: components["responses"]["LimitReached"];
            431: components["responses"]["HeadersTooLarge"];
            500: components["responses"]["Internal"];
            503: components["responses"]["StoreUnavailableOrShuttingDown"];
        };
    };
    getTemplate: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The template. */
                template_id: components["schemas"]["TemplateId"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description It is done. */
            200: {
                headers: {
                    "X-Request-Id": components["headers"]["RequestId"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["TemplateDetail"];
                };
            };
            400: components["responses"]["InvalidRequestOrValidationError"];
            401: components["responses"]["Unauthorized"];
            403: components["responses"]["Forbidden"];
            404: components["responses"]["NotFoundOrTemplateNotFound"];
            405: components["responses"]["MethodNotAllowed"];
            408: components["responses"]["RequestTimeout"];
            413: components["responses"]["PayloadTooLarge"];
            414: components["responses"]["UriTooLong"];
            415: components["responses"]["UnsupportedMediaType"];
            429: components["responses"]["LimitReached"];
            431: components["responses"]["HeadersTooLarge"];
            500: components["responses"]["Internal"];
            503: components["responses"]["StoreUnavailableOrShuttingDown"];
        };
    };
    deleteTemplate: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The template. */
                template_id: components["schemas"]["TemplateId"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description It is done. */
            200: {
                headers: {
                    "X-Request-Id": components["headers"]["RequestId"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["DeletedTemplate"];
                };
            };
            400: components["responses"]["InvalidRequestOrValidationError"];
            401: components["responses"]["Unauthorized"];
            403: components["responses"]["Forbidden"];
            404: components["responses"]["NotFoundOrTemplateNotFound"];
            405: components["responses"]["MethodNotAllowed"];
            408: components["responses"]["RequestTimeout"];
            413: components["responses"]["PayloadTooLarge"];
            414: components["responses"]["UriTooLong"];
            415: components["responses"]["UnsupportedMediaType"];
            429: components["responses"]["LimitReached"];
            431: components["responses"]["HeadersTooLarge"];
            500: components["responses"]["Internal"];
            503: components["responses"]["StoreUnavailableOrShuttingDown"];
        };
    };
    updateTemplate: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The template. */
                template_id: components["schemas"]["TemplateId"];
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["UpdateTemplate"];
            };
        };
        responses: {
            /** @description It is done. */
            200: {
                headers: {
                    "X-Request-Id": components["headers"]["RequestId"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["TemplateDetail"];
                };
            };
            400: components["responses"]["InvalidRequestOrValidationError"];
            401: components["responses"]["Unauthorized"];
            403: components["responses"]["Forbidden"];
            404: components["responses"]["NotFoundOrTemplateNotFound"];
            405: components["responses"]["MethodNotAllowed"];
            408: components["responses"]["RequestTimeout"];
            409: components["responses"]["AlreadyExists"];
            413: components["responses"]["PayloadTooLarge"];
            414: components["responses"]["UriTooLong"];
            415: components["responses"]["UnsupportedMediaType"];
            422: components["responses"]["InvalidPath"];
            429: components["responses"]["LimitReached"];
            431: components["responses"]["HeadersTooLarge"];
            500: components["responses"]["Internal"];
            503: components["responses"]["StoreUnavailableOrShuttingDown"];
        };
    };
    listCapabilities: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The template. */
                template_id: components["schemas"]["TemplateId"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description It is done. */
            200: {
                headers: {
                    "X-Request-Id": components["headers"]["RequestId"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Capability"][];
                };
            };
            400: components["responses"]["InvalidRequestOrValidationError"];
            401: components["responses"]["Unauthorized"];
            403: components["responses"]["Forbidden"];
            404: components["responses"]["NotFoundOrTemplateNotFound"];
            405: components["responses"]["MethodNotAllowed"];
            408: components["responses"]["RequestTimeout"];
            413: components["responses"]["PayloadTooLarge"];
            414: components["responses"]["UriTooLong"];
            415: components["responses"]["UnsupportedMediaType"];
            429: components["responses"]["LimitReached"];
            431: components["responses"]["HeadersTooLarge"];
            500: components["responses"]["Internal"];
            503: components["responses"]["StoreUnavailableOrShuttingDown"];
        };
    };
    addCapability: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The template. */
                template_id: components["schemas"]["TemplateId"];
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["AddCapability"];
            };
        };
        responses: {
            /** @description It is made, and stored. */
            201: {
                headers: {
                    "X-Request-Id": components["headers"]["RequestId"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Capability"];
                };
            };
            400: components["responses"]["InvalidRequestOrValidationError"];
            401: components["responses"]["Unauthorized"];
            403: components["responses"]["Forbidden"];
            404: components["responses"]["NotFoundOrTemplateNotFound"];
            405: components["responses"]["MethodNotAllowed"];
            408: components["responses"]["RequestTimeout"];
            409: components["responses"]["AlreadyExists"];
            413: components["responses"]["PayloadTooLarge"];
            414: components["responses"]["UriTooLong"];
            415: components["responses"]["UnsupportedMediaType"];
            422: components["responses"]["InvalidPathOrModuleNotAllowed"];
            429: components["responses"]["LimitReached"];
            431: components["responses"]["HeadersTooLarge"];
            500: components["responses"]["Internal"];
            503: components["responses"]["StoreUnavailableOrShuttingDown"];
        };
    };
    removeCapability: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The capability. */
                capability_id: components["schemas"]["CapabilityId"];
                /** @description The template. */
                template_id: components["schemas"]["TemplateId"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description It is done. */
            200: {
                headers: {
                    "X-Request-Id": components["headers"]["RequestId"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["RemovedCapability"];
                };
            };
            400: components["responses"]["InvalidRequestOrValidationError"];
            401: components["responses"]["Unauthorized"];
            403: components["responses"]["Forbidden"];
            404: components["responses"]["NotFoundOrTemplateNotFound"];
            405: components["responses"]["MethodNotAllowed"];
            408: components["responses"]["RequestTimeout"];
            413: components["responses"]["PayloadTooLarge"];
            414: components["responses"]["UriTooLong"];
            415: components["responses"]["UnsupportedMediaType"];
            429: components["responses"]["LimitReached"];
            431: components["responses"]["HeadersTooLarge"];
            500: components["responses"]["Internal"];
            503: components["responses"]["StoreUnavailableOrShuttingDown"];
        };
    };
    listLibraries: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The template. */
                template_id: components["schemas"]["TemplateId"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description It is done. */
            200: {
                headers: {
                    "X-Request-Id": components["headers"]["RequestId"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": string[];
                };
            };
            400: components["responses"]["InvalidRequestOrValidationError"];
            401: components["responses"]["Unauthorized"];
            403: components["responses"]["Forbidden"];
            404: components["responses"]["NotFoundOrTemplateNotFound"];
            405: components["responses"]["MethodNotAllowed"];
            408: components["responses"]["RequestTimeout"];
            413: components["responses"]["PayloadTooLarge"];
            414: components["responses"]["UriTooLong"];
            415: components["responses"]["UnsupportedMediaType"];
            429: components["responses"]["LimitReached"];
            431: components["responses"]["HeadersTooLarge"];
            500: components["responses"]["Internal"];
            503: components["responses"]["StoreUnavailableOrShuttingDown"];
        };
    };
    addLibrary: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The template. */
                template_id: components["schemas"]["TemplateId"];
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["AddLibrary"];
            };
        };
        responses: {
            /** @description It is made, and stored. */
            201: {
                headers: {
                    "X-Request-Id": components["headers"]["RequestId"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["GrantedByName"];
                };
            };
            400: components["responses"]["InvalidRequestOrValidationError"];
            401: components["responses"]["Unauthorized"];
            403: components["responses"]["Forbidden"];
            404: components["responses"]["NotFoundOrTemplateNotFound"];
            405: components["responses"]["MethodNotAllowed"];
            408: components["responses"]["RequestTimeout"];
            413: components["responses"]["PayloadTooLarge"];
            414: components["responses"]["UriTooLong"];
            415: components["responses"]["UnsupportedMediaType"];
            422: components["responses"]["LibraryNotFound"];
            429: components["responses"]["LimitReached"];
            431: components["responses"]["HeadersTooLarge"];
            500: components["responses"]["Internal"];
            503: components["responses"]["StoreUnavailableOrShuttingDown"];
        };
    };
    removeLibrary: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The name of the module or library. */
                name: string;
                /** @description The template. */
                template_id: components["schemas"]["TemplateId"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description It is done. */
            200: {
                headers: {
                    "X-Request-Id": components["headers"]["RequestId"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["RemovedByName"];
                };
            };
            400: components["responses"]["InvalidRequestOrValidationError"];
            401: components["responses"]["Unauthorized"];
            403: components["responses"]["Forbidden"];
            404: components["responses"]["NotFoundOrTemplateNotFound"];
            405: components["responses"]["MethodNotAllowed"];
            408: components["responses"]["RequestTimeout"];
            413: components["responses"]["PayloadTooLarge"];
            414: components["responses"]["UriTooLong"];
            415: components["responses"]["UnsupportedMediaType"];
            429: components["responses"]["LimitReached"];
            431: components["responses"]["HeadersTooLarge"];
            500: components["responses"]["Internal"];
            503: components["responses"]["StoreUnavailableOrShuttingDown"];
        };
    };
    listModules: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The template. */
                template_id: components["schemas"]["TemplateId"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description It is done. */
            200: {
                headers: {
                    "X-Request-Id": components["headers"]["RequestId"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": string[];
                };
            };
            400: components["responses"]["InvalidRequestOrValidationError"];
            401: components["responses"]["Unauthorized"];
            403: components["responses"]["Forbidden"];
            404: components["responses"]["NotFoundOrTemplateNotFound"];
            405: components["responses"]["MethodNotAllowed"];
            408: components["responses"]["RequestTimeout"];
            413: components["responses"]["PayloadTooLarge"];
            414: components["responses"]["UriTooLong"];
            415: components["responses"]["UnsupportedMediaType"];
            429: components["responses"]["LimitReached"];
            431: components["responses"]["HeadersTooLarge"];
            500: components["responses"]["Internal"];
            503: components["responses"]["StoreUnavailableOrShuttingDown"];
        };
    };
    addModule: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The template. */
                template_id: components["schemas"]["TemplateId"];
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["AddModule"];
            };
        };
        responses: {
            /** @description It is made, and stored. */
            201: {
                headers: {
                    "X-Request-Id": components["headers"]["RequestId"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["GrantedByName"];
                };
            };
            400: components["responses"]["InvalidRequestOrValidationError"];
            401: components["responses"]["Unauthorized"];
            403: components["responses"]["Forbidden"];
            404: components["responses"]["NotFoundOrTemplateNotFound"];
            405: components["responses"]["MethodNotAllowed"];
            408: components["responses"]["RequestTimeout"];
            413: components["responses"]["PayloadTooLarge"];
            414: components["responses"]["UriTooLong"];
            415: components["responses"]["UnsupportedMediaType"];
            422: components["responses"]["ModuleNotAllowed"];
            429: components["responses"]["LimitReached"];
            431: components["responses"]["HeadersTooLarge"];
            500: components["responses"]["Internal"];
            503: components["responses"]["StoreUnavailableOrShuttingDown"];
        };
    };
    removeModule: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The name of the module or library. */
                name: string;
                /** @description The template. */
                template_id: components["schemas"]["TemplateId"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description It is done. */
            200: {
                headers: {
                    "X-Request-Id": components["headers"]["RequestId"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["RemovedByName"];
                };
            };
            400: components["responses"]["InvalidRequestOrValidationError"];
            401: components["responses"]["Unauthorized"];
            403: components["responses"]["Forbidden"];
            404: components["responses"]["NotFoundOrTemplateNotFound"];
            405: components["responses"]["MethodNotAllowed"];
            408: components["responses"]["RequestTimeout"];
            413: components["responses"]["PayloadTooLarge"];
            414: components["responses"]["UriTooLong"];
            415: components["responses"]["UnsupportedMediaType"];
            429: components["responses"]["LimitReached"];
            431: components["responses"]["HeadersTooLarge"];
            500: components["responses"]["Internal"];
            503: components["responses"]["StoreUnavailableOrShuttingDown"];
        };
    };
    listStartupFiles: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The template. */
                template_id: components["schemas"]["TemplateId"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description It is done. */
            200: {
                headers: {
                    "X-Request-Id": components["headers"]["RequestId"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["StartupFile"][];
                };
            };
            400: components["responses"]["InvalidRequestOrValidationError"];
            401: components["responses"]["Unauthorized"];
            403: components["responses"]["Forbidden"];
            404: components["responses"]["NotFoundOrTemplateNotFound"];
            405: components["responses"]["MethodNotAllowed"];
            408: components["responses"]["RequestTimeout"];
            413: components["responses"]["PayloadTooLarge"];
            414: components["responses"]["UriTooLong"];
            415: components["responses"]["UnsupportedMediaType"];
            429: components["responses"]["LimitReached"];
            431: components["responses"]["HeadersTooLarge"];
            500: components["responses"]["Internal"];
            503: components["responses"]["StoreUnavailableOrShuttingDown"];
        };
    };
    addStartupFile: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The template. */
                template_id: components["schemas"]["TemplateId"];
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["AddStartupFile"];
            };
        };
        responses: {
            /** @description It is made, and stored. */
            201: {
                headers: {
                    "X-Request-Id": components["headers"]["RequestId"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["StartupFile"];
                };
            };
            400: components["responses"]["InvalidRequestOrValidationError"];
            401: components["responses"]["Unauthorized"];
            403: components["responses"]["Forbidden"];
            404: components["responses"]["NotFoundOrTemplateNotFound"];
            405: components["responses"]["MethodNotAllowed"];
            408: components["responses"]["RequestTimeout"];
            409: components["responses"]["AlreadyExists"];
            413: components["responses"]["PayloadTooLarge"];
            414: components["responses"]["UriTooLong"];
            415: components["responses"]["UnsupportedMediaType"];
            422: components["responses"]["InvalidPathOrStartupModeUnsupported"];
            429: components["responses"]["LimitReached"];
            431: components["responses"]["HeadersTooLarge"];
            500: components["responses"]["Internal"];
            503: components["responses"]["StoreUnavailableOrShuttingDown"];
        };
    };
    getTemplateTypes: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The template. */
                template_id: components["schemas"]["TemplateId"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The declarations. */
            200: {
                headers: {
                    "X-Request-Id": components["headers"]["RequestId"];
                    [name: string]: unknown;
                };
                content: {
                    "application/typescript": string;
                };
            };
            400: components["responses"]["InvalidRequestOrValidationError"];
            401: components["responses"]["Unauthorized"];
            403: components["responses"]["Forbidden"];
            404: components["responses"]["NotFoundOrTemplateNotFound"];
            405: components["responses"]["MethodNotAllowed"];
            408: components["responses"]["RequestTimeout"];
            413: components["responses"]["PayloadTooLarge"];
            414: components["responses"]["UriTooLong"];
            415: components["responses"]["UnsupportedMediaType"];
            429: components["responses"]["LimitReached"];
            431: components["responses"]["HeadersTooLarge"];
            500: components["responses"]["Internal"];
            503: components["responses"]["StoreUnavailableOrShuttingDown"];
        };
    };
    getMetrics: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The metrics, one a line. */
            200: {
                headers: {
                    "X-Request-Id": components["headers"]["RequestId"];
                    [name: string]: unknown;
                };
                content: {
                    "text/plain": string;
                };
            };
            400: components["responses"]["InvalidRequest"];
            401: components["responses"]["Unauthorized"];
            403: components["responses"]["Forbidden"];
            405: components["responses"]["MethodNotAllowed"];
            408: components["responses"]["RequestTimeout"];
            413: components["responses"]["PayloadTooLarge"];
            414: components["responses"]["UriTooLong"];
            415: components["responses"]["UnsupportedMediaType"];
            429: components["responses"]["LimitReached"];
            431: components["responses"]["HeadersTooLarge"];
            500: components["responses"]["Internal"];
            503: components["responses"]["StoreUnavailableOrShuttingDown"];
        };
    };
}
