import { useNavigate } from '@tanstack/react-router';

type Change = Readonly<Record<string, string | number | undefined>>;

/** Changes parameters of the address; the page reads itself from there. A changed filter begins at the first page. */
export function useSearchChange(): (change: Change, keepsPage?: 'KEEPS_PAGE') => void {
  const navigate = useNavigate();
  return (change, keepsPage) => {
    const first = keepsPage === undefined ? { page: undefined, after: undefined } : {};
    void navigate({
      to: '.',
      search: (old: object) => ({ ...old, ...first, ...change }),
      replace: keepsPage === undefined,
    });
  };
}
