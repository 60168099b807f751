import '@mantine/spotlight/styles.css';
import { Spotlight, spotlight } from '@mantine/spotlight';
import { useNavigate } from '@tanstack/react-router';
import { Search } from 'lucide-react';
import { useEffect } from 'react';
import { useViewer } from '../api/viewer';
import { navigationOf } from '../navigation';

/** Jumps to a page by a part of its name. */
export default function Palette({ onClose }: { readonly onClose: () => void }) {
  const navigate = useNavigate();
  const groups = navigationOf(useViewer());
  useEffect(() => spotlight.open(), []);
  const actions = groups
    .flatMap(({ items }) => items)
    .map(({ to, label, icon: Icon }) => ({
      id: to,
      label,
      leftSection: <Icon size={18} aria-hidden />,
      onClick: () => void navigate({ to }),
    }));
  return (
    <Spotlight
      actions={actions}
      shortcut={null}
      highlightQuery
      nothingFound="No page has this name"
      onSpotlightClose={onClose}
      searchProps={{
        leftSection: <Search size={18} aria-hidden />,
        placeholder: 'Jump to…',
        'aria-label': 'Jump to',
      }}
    />
  );
}
