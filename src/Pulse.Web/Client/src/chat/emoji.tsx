import { Popup } from './popup';
import { texts } from './texts';

export const quickEmoji = ['👍', '❤️', '😂', '🎉', '😮', '🙏'] as const;

const allEmoji = [
  '😀', '😄', '😁', '😅', '😂', '🙂', '😉', '😊', '😍', '🥰', '😘', '😋', '😎', '🤩', '🤔', '🤨',
  '😐', '🙄', '😏', '😴', '😕', '😟', '😮', '😳', '🥺', '😢', '😭', '😡', '🤯', '🥳', '🤗', '🤝',
  '👍', '👎', '👏', '🙌', '🙏', '💪', '👋', '👀', '✌️', '🤞', '👌', '🫡', '❤️', '🧡', '💚', '💙',
  '💜', '🖤', '💔', '✨', '⭐', '🔥', '🎉', '🎂', '🏆', '🚀', '💡', '✅', '❌', '❓', '❗', '💯',
  '☕', '🍕', '🍎', '🍀', '🌈', '☀️', '🌙', '⏰', '📌', '📎', '🐛', '🛠️', '🎵', '⚽', '🏡', '🚲',
] as const;

/** A grid of emoji. */
export function EmojiPicker({ anchor, onPick, onClose }: {
  readonly anchor: HTMLElement;
  readonly onPick: (emoji: string) => void;
  readonly onClose: () => void;
}) {
  return (
    <Popup anchor={anchor} label={texts.emoji} role="dialog" onClose={onClose}>
      <div class="emoji-grid">
        {allEmoji.map((emoji, index) => (
          <button type="button" key={emoji} tabIndex={index === 0 ? 0 : -1} onClick={() => onPick(emoji)}>{emoji}</button>
        ))}
      </div>
    </Popup>
  );
}
