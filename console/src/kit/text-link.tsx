import { Anchor, type AnchorProps } from '@mantine/core';
import { createLink } from '@tanstack/react-router';
import type { AnchorHTMLAttributes } from 'react';

type TextLinkProps = AnchorProps & Omit<AnchorHTMLAttributes<HTMLAnchorElement>, keyof AnchorProps>;

/** A link within the console: the compiler knows its pages and what each of them needs. */
export const TextLink = createLink((props: TextLinkProps) => <Anchor {...props} />);
