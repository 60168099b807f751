import { z } from 'zod';

export type JsonSchema = Readonly<Record<string, unknown>>;

interface ObjectField {
  readonly name: string;
  readonly required: boolean;
  readonly schema: JsonSchema;
}

/** JSON Schemas of what the routes take and answer; those with an id stand once, under their name. */
export class JsonSchemas {
  readonly named: Record<string, JsonSchema> = {};

  /** @param io as a caller sends it, or as it is answered */
  of(schema: z.ZodType, io: 'input' | 'output'): JsonSchema {
    const { $schema: _draft, $defs, ...own } = z.toJSONSchema(schema, { io, override: withoutPatterns });
    for (const [name, named] of Object.entries($defs ?? {})) this.named[name] = inComponents(named);
    return inComponents(own);
  }

  /** The fields of an object, as parameters need them. */
  fieldsOf(schema: z.ZodObject | undefined): ObjectField[] {
    if (schema === undefined) return [];
    const { properties = {}, required = [] } = this.of(schema, 'input') as {
      properties?: Record<string, JsonSchema>;
      required?: string[];
    };
    return Object.entries(properties).map(([name, each]) => ({
      name,
      required: required.includes(name),
      schema: each,
    }));
  }
}

/** The format says the same, and can be read. */
function withoutPatterns({ jsonSchema }: { jsonSchema: { format?: string; pattern?: string } }): void {
  if (jsonSchema.format !== undefined) delete jsonSchema.pattern;
}

function inComponents(schema: object): JsonSchema {
  const text = JSON.stringify(schema).replaceAll('"#/$defs/', '"#/components/schemas/');
  return JSON.parse(text) as JsonSchema;
}
