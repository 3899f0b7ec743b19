/** How many subgroups' shares make up a key: its owner's choice. */

import type { Keyshare } from '@keyshare/sdk';

type Chain = Keyshare['parameters'];

/** What is chosen from: the chain's `t` to its `n`. */
function thresholds({ threshold, subgroups }: Chain): number[] {
  return Array.from({ length: subgroups - threshold + 1 }, (_, more) => threshold + more);
}

/** The field. */
export function ThresholdField(props: {
  chain: Chain;
  threshold: number;
  isBusy: boolean;
  onChange: (threshold: number) => void;
}) {
  const { chain, threshold, isBusy, onChange } = props;
  return (
    <>
      <label>
        Threshold: how many subgroups’ shares make up the key{' '}
        <select
          value={threshold}
          disabled={isBusy}
          onChange={({ currentTarget }) => {
            onChange(Number(currentTarget.value));
          }}
        >
          {thresholds(chain).map((one) => (
            <option key={one} value={one}>
              any {one} of {chain.subgroups}
            </option>
          ))}
        </select>
      </label>
      <div role="status">
        <NothingToSpare threshold={threshold} subgroups={chain.subgroups} />
      </div>
    </>
  );
}

/** A warning, if every subgroup is needed. */
export function NothingToSpare(props: { threshold: number; subgroups: number }) {
  const { threshold, subgroups } = props;
  if (threshold < subgroups) return null;
  return (
    <p class="busy">
      With {threshold} of {subgroups} one lost subgroup is the end of the key: keep a backup of it
      that you can find.
    </p>
  );
}
