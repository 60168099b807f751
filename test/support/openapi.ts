import { Ajv2020 } from 'ajv/dist/2020.js';
import addFormats from 'ajv-formats';

type Json = Readonly<Record<string, unknown>>;

interface Answered {
  readonly method: string;
  /** As the document writes it: `/api/imports/{id}`. */
  readonly path: string;
  readonly status: number;
  readonly contentType: string | null;
  readonly body: string;
}

/** The OpenAPI document of a running server, against which its answers are held. */
export class OpenApiDocument {
  private readonly ajv = new Ajv2020({ strict: false, allErrors: true });

  readonly json: Json;

  private constructor(json: Json) {
    this.json = json;
    (addFormats as unknown as (ajv: Ajv2020) => void)(this.ajv);
    this.ajv.addSchema(json, 'openapi');
  }

  static async of(address: string): Promise<OpenApiDocument> {
    const reply = await fetch(new URL('/api/openapi.json', address));
    return new OpenApiDocument((await reply.json()) as Json);
  }

  get operations(): string[] {
    const paths = this.json['paths'] as Record<string, Json>;
    return Object.entries(paths).flatMap(([path, methods]) =>
      Object.keys(methods).map((method) => `${method.toUpperCase()} ${path}`),
    );
  }

  /** What the document says against an answer; null where it fits. */
  faultOf({ method, path, status, contentType, body }: Answered): string | null {
    const pointer = ['paths', path, method.toLowerCase(), 'responses', String(status)];
    const response = at(this.json, pointer) as { content?: Record<string, { schema?: object }> } | undefined;
    if (response === undefined)
      return `${method} ${path} does not name the status ${status}: ${body.slice(0, 300)}`;
    const type = contentType?.split(';')[0] ?? '';
    const media = response.content?.[type];
    if (media === undefined) return `${method} ${path} ${status} does not answer ${type}`;
    if (media.schema === undefined) return null;
    const schema = [...pointer, 'content', type, 'schema'].map(escaped).join('/');
    if (this.ajv.validate(`openapi#/${schema}`, JSON.parse(body))) return null;
    return `${method} ${path} ${status}: ${this.ajv.errorsText()}: ${body.slice(0, 300)}`;
  }

  /** Whether the document names the code under the status. */
  names({ method, path, status }: Pick<Answered, 'method' | 'path' | 'status'>, code: string): boolean {
    const response = at(this.json, ['paths', path, method.toLowerCase(), 'responses', String(status)]) as
      | { description: string }
      | undefined;
    return response?.description.includes(`\`${code}\``) === true;
  }
}

function at(json: Json, pointer: readonly string[]): unknown {
  return pointer.reduce<unknown>((value, key) => (value as Json | undefined)?.[key], json);
}

const escaped = (key: string): string => encodeURIComponent(key.replaceAll('~', '~0').replaceAll('/', '~1'));
