import type { GetPromptResult, Prompt } from '@modelcontextprotocol/sdk/types.js';
import { isRecord } from '../space/json-value.ts';
import { PIXEL_PNG } from './conformance-media.ts';
import { type Params, stringParam } from './protocol-handlers.ts';

/** Prompts that the conformance suite asks for by name. */
export const FIXTURE_PROMPTS: readonly Prompt[] = [
  { name: 'test_simple_prompt', description: 'Conformance fixture: a prompt without arguments.' },
  {
    name: 'test_prompt_with_arguments',
    description: 'Conformance fixture: a prompt with arguments.',
    arguments: [
      { name: 'arg1', description: 'First test argument', required: true },
      { name: 'arg2', description: 'Second test argument', required: true },
    ],
  },
  {
    name: 'test_prompt_with_embedded_resource',
    description: 'Conformance fixture: a prompt that embeds a resource.',
    arguments: [{ name: 'resourceUri', description: 'URI of the resource to embed', required: true }],
  },
  { name: 'test_prompt_with_image', description: 'Conformance fixture: a prompt with an image.' },
];

type Content = GetPromptResult['messages'][number]['content'];

/** A prompt of the suite; undefined when it is none of them. @throws {McpError} for a missing argument */
export function fixturePrompt(params: Params): GetPromptResult | undefined {
  const args = isRecord(params['arguments']) ? params['arguments'] : {};
  const text = (words: string): Content => ({ type: 'text', text: words });
  switch (params['name']) {
    case 'test_simple_prompt':
      return said(text('This is a simple prompt for testing.'));
    case 'test_prompt_with_arguments': {
      const [arg1, arg2] = [stringParam(args, 'arg1', 1000), stringParam(args, 'arg2', 1000)];
      return said(text(`Prompt with arguments: arg1='${arg1}', arg2='${arg2}'`));
    }
    case 'test_prompt_with_embedded_resource': {
      const uri = stringParam(args, 'resourceUri', 1000);
      return said(
        { type: 'resource', resource: { uri, mimeType: 'text/plain', text: 'Embedded resource content for testing.' } },
        text('Please process the embedded resource above.'),
      );
    }
    case 'test_prompt_with_image':
      return said({ type: 'image', data: PIXEL_PNG, mimeType: 'image/png' }, text('Please analyze the image above.'));
    default:
      return undefined;
  }
}

function said(...contents: readonly Content[]): GetPromptResult {
  return { messages: contents.map((content) => ({ role: 'user', content })) };
}
