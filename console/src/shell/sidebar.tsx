import { Link } from '@tanstack/react-router';
import { useViewer } from '../api/viewer';
import { navigationOf } from '../navigation';
import classes from './shell.module.css';

export function Sidebar() {
  const groups = navigationOf(useViewer());
  return (
    <nav className={classes['sidebar']} aria-label="Pages">
      {groups.map(({ label, items }) => (
        <div key={label} role="group" aria-label={label}>
          <div className={classes['group']}>{label}</div>
          {items.map(({ to, label: name, icon: Icon }) => (
            <Link key={to} to={to} className={classes['item']}>
              <Icon size={16} aria-hidden />
              {name}
            </Link>
          ))}
        </div>
      ))}
    </nav>
  );
}
