import { de } from './de';
import { en, type Texts } from './en';

// Each language of the pages (PageTexts.Languages on the server) has its entry here.
const languages: Readonly<Record<string, Texts>> = { en, de };

/** The texts of the chat in the language of the page. */
export const texts = languages[document.documentElement.lang] ?? en;
