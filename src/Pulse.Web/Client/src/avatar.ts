/** Removes broken pictures, so that the initials beneath are seen. */
export function hideBrokenPictures(within: ParentNode = document): void {
  for (const picture of within.querySelectorAll<HTMLImageElement>('.avatar img')) {
    // It may have failed before this script ran.
    if (picture.complete && picture.naturalWidth === 0) picture.remove();
    else picture.addEventListener('error', () => picture.remove());
  }
}
