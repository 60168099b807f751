import { useEffect, useSyncExternalStore } from 'react';
import { liveState, onLiveState, subscribe, type LiveState } from '../api/live';
import { SessionRevokedDocument } from './session.gql';
import classes from './shell.module.css';

const LABELS: Record<LiveState, string> = {
  CONNECTING: 'Connecting',
  LIVE: 'Live',
  OFFLINE: 'Not live',
};

/** Whether events arrive as they happen. Its own subscription keeps the connection open on every page. */
export function LiveIndicator() {
  const state = useSyncExternalStore(onLiveState, liveState);
  useEffect(() => subscribe(SessionRevokedDocument, {}, () => undefined), []);
  return (
    <div className={classes['live']} data-state={state} role="status" aria-live="polite">
      <span className={classes['dot']} aria-hidden />
      {LABELS[state]}
    </div>
  );
}
