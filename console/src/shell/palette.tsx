import '@mantine/spotlight/styles.css';
import { Spotlight, spotlight } from '@mantine/spotlight';
import { useNavigate } from '@tanstack/react-router';
import { Search } from 'lucide-react';
import { useEffect, useRef, useState } from 'react';
import { useViewer } from '../api/viewer';
import { navigationOf } from '../navigation';
import { useFound } from './use-found';

/** Jumps to a page by a part of its name, and to anything by its id, number or code. */
export default function Palette({ onClose }: { readonly onClose: () => void }) {
  const navigate = useNavigate();
  const [query, setQuery] = useState('');
  const { found, isSearching } = useFound(query);
  const groups = navigationOf(useViewer());
  const list = useRef<HTMLDivElement>(null);
  useEffect(() => spotlight.open(), []);
  // The library selects when something is typed, which is before anything is found.
  useEffect(() => {
    if (list.current?.querySelector('[data-selected]') === null)
      list.current.querySelector('[data-action]')?.setAttribute('data-selected', 'true');
  }, [found]);
  const wanted = query.trim().toLowerCase();
  const pages = groups
    .flatMap(({ items }) => items)
    .filter(({ label }) => label.toLowerCase().includes(wanted));
  return (
    <Spotlight.Root query={query} onQueryChange={setQuery} shortcut={null} onSpotlightClose={onClose}>
      <Spotlight.Search
        leftSection={<Search size={18} aria-hidden />}
        placeholder="A page, an id, an order number, a code …"
        aria-label="Jump to"
      />
      <Spotlight.ActionsList ref={list}>
        {found.map(({ id, label, description, open }) => (
          <Spotlight.Action key={id} label={label} description={description} onClick={open} />
        ))}
        {pages.map(({ to, label, icon: Icon }) => (
          <Spotlight.Action
            key={to}
            label={label}
            leftSection={<Icon size={18} aria-hidden />}
            onClick={() => void navigate({ to })}
          />
        ))}
        {found.length + pages.length === 0 && (
          <Spotlight.Empty>
            {isSearching ? 'Searching …' : 'Nothing has this name, id, number or code.'}
          </Spotlight.Empty>
        )}
      </Spotlight.ActionsList>
    </Spotlight.Root>
  );
}
